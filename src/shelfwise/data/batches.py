"""Requests gathered into batches: numbers only, text is looked up by whoever encodes it.

Shape suffixes in this file: R = requests of the batch, L = history length, N = impressions,
M = positives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import labels_as_of
from shelfwise.data.history import HistoryWindow, window
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.event import Surface

_SURFACE_PLACE = {str(surface): place for place, surface in enumerate(Surface)}
_BUCKET = 16  # batches sorted by history length together, so that padding stays short


class Batch(NamedTuple):
    """Some requests with their histories, what was shown, and what matched."""

    history: HistoryWindow
    at_R: NDArray[np.int64]  # microseconds
    query_R: NDArray[np.int64]  # -1: nothing typed
    surface_R: NDArray[np.int64]
    shown_request_N: NDArray[np.int64]  # row of the batch
    shown_item_N: NDArray[np.int64]
    position_N: NDArray[np.int64]  # 0: unknown
    clicked_N: NDArray[np.float32]
    purchased_N: NDArray[np.float32]
    known_N: NDArray[np.float32]  # 0: the purchase window is still open
    match_request_M: NDArray[np.int64]  # row of the batch
    match_item_M: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """The requests of a stretch of time, as flat arrays grouped by request."""

    request_R: NDArray[np.int64]  # numbers of the prepared requests
    owner_R: NDArray[np.int64]
    at_R: NDArray[np.int64]
    end_R: NDArray[np.int64]  # where the history ends
    query_R: NDArray[np.int64]
    surface_R: NDArray[np.int64]
    shown_offset_R1: NDArray[np.int64]
    shown_item_N: NDArray[np.int64]
    position_N: NDArray[np.int64]
    clicked_N: NDArray[np.bool_]
    purchased_N: NDArray[np.bool_]
    known_N: NDArray[np.bool_]
    match_offset_R1: NDArray[np.int64]
    match_item_M: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.request_R)


def examples_between(prepared: PreparedShop, start: int, end: int) -> Examples:
    """Requests of ``[start, end)`` with what was known of them at ``end``.

    A click or purchase from ``end`` on is not looked at: training never sees past its own end.
    """
    requests = (
        prepared.requests.with_row_index("request")
        .filter((pl.col("at") >= start) & (pl.col("at") < end))
        .with_columns(pl.col("request").cast(pl.Int64))
    )
    chosen = requests.select("request", pl.int_range(pl.len()).alias("row"))
    shown = labels_as_of(prepared.impressions, end, prepared.options.attribution)
    shown = _rows_of(shown, chosen)
    matched = prepared.positives.filter(pl.col("at") < end).select("request", "item").unique()
    matched = _rows_of(matched.sort("request", "item"), chosen)
    return Examples(
        request_R=requests["request"].to_numpy(),
        owner_R=requests["owner"].to_numpy(),
        at_R=requests["at"].to_numpy(),
        end_R=requests["history_end"].to_numpy(),
        query_R=requests["query"].to_numpy(),
        surface_R=requests["surface"]
        .replace_strict(_SURFACE_PLACE, return_dtype=pl.Int64)
        .to_numpy(),
        shown_offset_R1=_offsets(shown, len(requests)),
        shown_item_N=shown["item"].cast(pl.Int64).to_numpy(),
        position_N=shown["position"].fill_null(0).cast(pl.Int64).to_numpy(),
        clicked_N=shown["clicked"].to_numpy(),
        purchased_N=shown["purchased"].to_numpy(),
        known_N=shown["known"].to_numpy(),
        match_offset_R1=_offsets(matched, len(requests)),
        match_item_M=matched["item"].cast(pl.Int64).to_numpy(),
    )


def _rows_of(table: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    return (
        table.with_columns(pl.col("request").cast(pl.Int64))
        .join(chosen, on="request")
        .sort("row", maintain_order=True)
    )


def _offsets(rows: pl.DataFrame, requests: int) -> NDArray[np.int64]:
    count_R = np.bincount(rows["row"].to_numpy(), minlength=requests)
    return np.concatenate([[0], count_R.cumsum()]).astype(np.int64)


def batches(
    prepared: PreparedShop, examples: Examples, size: int, rng: np.random.Generator | None
) -> Iterator[Batch]:
    """All requests, ``size`` at a time: in a random order, or in their own where ``rng`` is None.

    Requests of like history length travel together, so that little of a batch is padding.
    """
    for rows in _orders(prepared, examples, size, rng):
        yield gather(prepared, examples, rows)


def _orders(
    prepared: PreparedShop, examples: Examples, size: int, rng: np.random.Generator | None
) -> Iterator[NDArray[np.int64]]:
    if rng is None:
        for start in range(0, len(examples), size):
            yield np.arange(start, min(start + size, len(examples)))
        return
    order = rng.permutation(len(examples))
    length_R = examples.end_R - prepared.history.offset_U1[examples.owner_R]
    length_R = np.minimum(length_R, prepared.options.history.max_length)
    groups = []
    for start in range(0, len(order), size * _BUCKET):
        bucket = order[start : start + size * _BUCKET]
        bucket = bucket[np.argsort(length_R[bucket], kind="stable")]
        groups += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    for place in rng.permutation(len(groups)):
        yield groups[place]


def gather(prepared: PreparedShop, examples: Examples, rows: NDArray[np.int64]) -> Batch:
    """The batch of the chosen rows of ``examples``."""
    shown, shown_request_N = _slices(examples.shown_offset_R1, rows)
    matched, match_request_M = _slices(examples.match_offset_R1, rows)
    return Batch(
        history=window(
            prepared.history,
            prepared.history.offset_U1[examples.owner_R[rows]],
            examples.end_R[rows],
            examples.at_R[rows],
            prepared.options.history.max_length,
        ),
        at_R=examples.at_R[rows],
        query_R=examples.query_R[rows],
        surface_R=examples.surface_R[rows],
        shown_request_N=shown_request_N,
        shown_item_N=examples.shown_item_N[shown],
        position_N=examples.position_N[shown],
        clicked_N=examples.clicked_N[shown].astype(np.float32),
        purchased_N=examples.purchased_N[shown].astype(np.float32),
        known_N=examples.known_N[shown].astype(np.float32),
        match_request_M=match_request_M,
        match_item_M=examples.match_item_M[matched],
    )


def _slices(
    offset_R1: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat places of all slices ``offset[row] : offset[row + 1]``, and each place's own row."""
    length_R = offset_R1[rows + 1] - offset_R1[rows]
    owner_N = np.repeat(np.arange(len(rows)), length_R)
    first_N = np.repeat(length_R.cumsum() - length_R, length_R)
    return offset_R1[rows][owner_N] + np.arange(len(owner_N)) - first_N, owner_N
