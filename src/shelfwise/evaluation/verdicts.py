"""What is known of an item for a request beyond "taken": that it was wrong to recommend it.

Shape suffixes in this file: J = verdicts, (target, item) pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.history import KINDS
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.schema.event import EventKind

_PURCHASE, _RETURN = (KINDS.index(kind) for kind in (EventKind.PURCHASE, EventKind.RETURN))


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Items that were judged, kept or returned; nothing is known of all others."""

    target_J: NDArray[np.int64]
    item_J: NDArray[np.int64]
    wrong_J: NDArray[np.bool_]
    note: str  # where they come from


def verdicts(prepared: PreparedShop, targets: MatchTargets) -> Verdicts:
    """Wrong is what the judges gave the lowest grade for the query, or its shopper returned.

    Right is what they graded higher or the shopper bought and kept, at any time until the test
    ends, since a verdict on a recommendation may come late. Where all grades are alike they say
    nothing.
    """
    owner = pl.DataFrame({"owner": targets.owner_T, "query": targets.query_T}).with_columns(
        pl.int_range(pl.len()).alias("target")
    )
    judged = _judged(prepared.judgements).join(owner, on="query")
    bought = _bought(prepared).join(owner, on="owner")
    columns = ["target", "item", "wrong"]
    both = pl.concat([judged.select(columns), bought.select(columns)])
    note = (
        "Wrong recommendations: items that their shopper returned"
        + (", or that were judged with the lowest grade for the query" if len(judged) else "")
        + f"; {len(both):,} verdicts on the test's requests, {int(both['wrong'].sum()):,} of them "
        "wrong. wrong_rate counts all places shown, wrong_rate_judged those with a verdict."
    )
    return Verdicts(
        both["target"].to_numpy(), both["item"].to_numpy(), both["wrong"].to_numpy(), note
    )


def _judged(judgements: pl.DataFrame) -> pl.DataFrame:
    """``query, item, wrong`` (lowest grade of the table); none where all grades are alike."""
    lowest = pl.col("grade").min()
    return judgements.filter(lowest < pl.col("grade").max()).select(
        "query", "item", (pl.col("grade") == lowest).alias("wrong")
    )


def _bought(prepared: PreparedShop) -> pl.DataFrame:
    """``owner, item, wrong``: every pair bought or returned, once; a return outweighs.

    What came after the test of an earlier window, or of a fold, is not looked at.
    """
    history = prepared.history
    owner_E = np.repeat(np.arange(len(history.offset_U1) - 1), np.diff(history.offset_U1))
    returned_E = history.kind_E == _RETURN
    kept_E = (returned_E | (history.kind_E == _PURCHASE)) & (history.item_E >= 0)
    kept_E &= history.at_E < prepared.moments.end
    rows = pl.DataFrame(
        {
            "owner": owner_E[kept_E],
            "item": history.item_E[kept_E].astype(np.int64),
            "wrong": returned_E[kept_E],
        }
    )
    return rows.group_by("owner", "item", maintain_order=True).agg(pl.col("wrong").any())
