"""What training or a baseline may learn from: the rows of some parts of the split.

A split by time is cut by a moment, the others by request; consumers ask here and need not know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.parts import item_places
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import PARTS, Part

TRAINED: tuple[Part, ...] = ("train",)
LEARNED: tuple[Part, ...] = ("train", "validation")  # all that comes before the test


def rows_of_parts(
    prepared: PreparedShop, rows: pl.DataFrame, parts: Sequence[Part]
) -> pl.DataFrame:
    """Impressions or positives of the requests of ``parts``, at any time.

    Where items are held out, those of a later part are left out of other items' requests: shown
    beside them without an answer, they are unknown and no negatives.
    """
    inside_R = prepared.requests["part"].is_in(list(parts)).to_numpy()
    kept_N = inside_R[rows["request"].to_numpy()]
    if prepared.options.split.kind == "cold_items":
        kept_N = kept_N & ~held_out_after(prepared, parts)[rows["item"].to_numpy()]
    return rows.filter(pl.Series(kept_N, dtype=pl.Boolean))


def believed(rows: pl.DataFrame) -> pl.DataFrame:
    """Impressions or positives that are no suspected fraud: what may be counted for others."""
    return rows.filter(pl.col("weight") > 0)


def believed_owners(prepared: PreparedShop) -> NDArray[np.bool_]:
    """``[U]`` False where all of an owner's requests are suspected fraud."""
    owners = len(prepared.owners)
    asked_U, doubted_U = (
        np.bincount(requests["owner"].to_numpy(), minlength=owners)
        for requests in (
            prepared.requests,
            prepared.requests.filter(pl.col("fraud").is_not_null()),
        )
    )
    found: NDArray[np.bool_] = (asked_U == 0) | (doubted_U < asked_U)
    return found


def numbers_of_believed(prepared: PreparedShop) -> NDArray[np.int64]:
    """``[U]`` each owner's number among those who are not doubted in everything.

    Numbers keep their order, and nobody else takes one: what goes by them is the same with and
    without suspected fraud in the log.
    """
    believed_U = believed_owners(prepared)
    return np.asarray(believed_U.cumsum() - believed_U, np.int64)


def held_out_after(prepared: PreparedShop, parts: Sequence[Part]) -> NDArray[np.bool_]:
    """``[V]`` items that only parts later than ``parts`` may show the answers of."""
    if prepared.options.split.kind != "cold_items":
        return np.zeros(len(prepared.items), dtype=bool)
    last = max(PARTS.index(part) for part in parts)
    held_V: NDArray[np.bool_] = item_places(prepared.items)["item_place"].to_numpy() > last
    return held_V


def taken_of_parts(prepared: PreparedShop, parts: Sequence[Part]) -> pl.DataFrame:
    """Positives of ``parts``, as far as they were known when the last of them ended."""
    end = prepared.moments.known_until(parts)
    return rows_of_parts(prepared, prepared.positives, parts).filter(pl.col("at") < end)


def taken_by_owner(
    prepared: PreparedShop, parts: Sequence[Part], *, doubted: bool = True
) -> pl.DataFrame:
    """The same with each row's owner, sorted by owner, then time; ``doubted``: fraud as well."""
    taken = taken_of_parts(prepared, parts)
    requests = prepared.requests.with_row_index("request").select("request", "owner")
    return (
        (taken if doubted else believed(taken))
        .with_row_index("place")
        .join(requests.with_columns(pl.col("request").cast(pl.Int64)), on="request")
        .sort("owner", "at", "place")
    )
