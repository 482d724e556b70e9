"""Requests gathered into batches: numbers only, text is looked up by whoever encodes it.

Shape suffixes in this file: R = requests of the batch, L = history length, N = impressions,
M = positives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import labels_as_of
from shelfwise.data.history import History, HistoryWindow, window
from shelfwise.data.part_rows import rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.purchase_delay import arrived_by
from shelfwise.data.split import Part
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
    arrived_N: NDArray[np.float32]  # share of a row's purchases that have come by now; 1: all
    match_request_M: NDArray[np.int64]  # row of the batch
    match_item_M: NDArray[np.int64]
    weight_N: NDArray[np.float32]  # how much a shown row counts in training; 0: suspected fraud
    weight_M: NDArray[np.float32]  # the same of a match
    next_kind_R: NDArray[np.int64]  # kind of what the owner did next; -1: nothing, or not known
    fold_R: NDArray[np.int64]  # whose behaviour is left out of counts asked on its behalf; 0: none


class Shuffle(NamedTuple):
    """A random order that follows from these numbers alone: any place in it can be found again."""

    seed: int
    epoch: int = 0  # each has an order of its own
    start: int = 0  # first batch wanted; those before it are passed over


@dataclass(frozen=True, slots=True)
class Examples:
    """Some of the requests, as flat arrays grouped by request."""

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
    arrived_N: NDArray[np.float32]  # share of a row's purchases that had come by then
    match_offset_R1: NDArray[np.int64]
    match_item_M: NDArray[np.int64]
    weight_N: NDArray[np.float32]
    weight_M: NDArray[np.float32]
    next_kind_R: NDArray[np.int64]  # kind of the owner's first event from ``at`` on; -1: none then
    fold_R: NDArray[np.int64]  # as of a batch

    def __len__(self) -> int:
        return len(self.request_R)


def examples_of(prepared: PreparedShop, parts: Sequence[Part], *, doubted: bool = True) -> Examples:
    """Requests of ``parts`` with what was known of them when the last of these ended.

    A click or purchase from then on is not looked at: training never sees past its own end.
    ``doubted``: those of suspected fraud as well.
    """
    asked = pl.col("part").is_in(list(parts))
    return _examples(
        prepared,
        asked if doubted else asked & pl.col("fraud").is_null(),
        rows_of_parts(prepared, prepared.impressions, parts),
        rows_of_parts(prepared, prepared.positives, parts),
        prepared.moments.known_until(parts),
    )


def examples_between(prepared: PreparedShop, start: int, end: int) -> Examples:
    """Requests of ``[start, end)`` with what was known of them at ``end``, whatever the split."""
    asked = (pl.col("at") >= start) & (pl.col("at") < end)
    return _examples(prepared, asked, prepared.impressions, prepared.positives, end)


def _examples(
    prepared: PreparedShop,
    asked: pl.Expr,
    impressions: pl.DataFrame,
    positives: pl.DataFrame,
    known_until: int,
) -> Examples:
    requests = (
        prepared.requests.with_row_index("request")
        .filter(asked)
        .with_columns(pl.col("request").cast(pl.Int64))
    )
    chosen = requests.select("request", pl.int_range(pl.len()).alias("row"))
    shown = labels_as_of(impressions, known_until, prepared.options.attribution)
    shown = _rows_of(shown, chosen)
    arrived_N = arrived_by(shown, known_until)
    # Taken in several ways at one request, an item is one match, of the weightiest way.
    matched = (
        positives.filter(pl.col("at") < known_until)
        .group_by("request", "item")
        .agg(pl.col("weight").max())
    )
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
        arrived_N=arrived_N,
        match_offset_R1=_offsets(matched, len(requests)),
        match_item_M=matched["item"].cast(pl.Int64).to_numpy(),
        weight_N=shown["weight"].to_numpy(),
        weight_M=matched["weight"].to_numpy(),
        next_kind_R=_next_kinds(prepared.history, requests, known_until),
        fold_R=np.zeros(len(requests), np.int64),
    )


def _next_kinds(history: History, requests: pl.DataFrame, known_until: int) -> NDArray[np.int64]:
    """``[R]`` kind of the event that follows each request's history, before ``known_until``."""
    place_R, owner_R = requests["history_end"].to_numpy(), requests["owner"].to_numpy()
    kind_E1 = np.append(history.kind_E.astype(np.int64), -1)
    at_E1 = np.append(history.at_E, np.iinfo(np.int64).max)
    known_R = (place_R < history.offset_U1[owner_R + 1]) & (at_E1[place_R] < known_until)
    return np.where(known_R, kind_E1[place_R], -1)


def _rows_of(table: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    return (
        table.with_columns(pl.col("request").cast(pl.Int64))
        .join(chosen, on="request", maintain_order="left")
        .sort("row", maintain_order=True)
    )


def _offsets(rows: pl.DataFrame, requests: int) -> NDArray[np.int64]:
    count_R = np.bincount(rows["row"].to_numpy(), minlength=requests)
    return np.concatenate([[0], count_R.cumsum()]).astype(np.int64)


def batches(
    prepared: PreparedShop, examples: Examples, size: int, shuffle: Shuffle | None
) -> Iterator[Batch]:
    """All requests, ``size`` at a time: shuffled, or in their own order where ``shuffle`` is None.

    Shuffled requests of like history length travel together, so that little of a batch is padding.
    """
    for rows in batch_rows(prepared, examples, size, shuffle):
        yield gather(prepared, examples, rows)


def batch_rows(
    prepared: PreparedShop, examples: Examples, size: int, shuffle: Shuffle | None
) -> list[NDArray[np.int64]]:
    """Which rows of ``examples`` each batch holds, from ``shuffle.start`` on."""
    if shuffle is None:
        return _cut(np.arange(len(examples)), size)
    rng = np.random.default_rng([shuffle.seed, shuffle.epoch])
    order = rng.permutation(len(examples))
    length_R = examples.end_R - prepared.history.offset_U1[examples.owner_R]
    length_R = np.minimum(length_R, prepared.options.history.max_length)
    groups: list[NDArray[np.int64]] = []
    for bucket in _cut(order, size * _BUCKET):
        groups += _cut(bucket[np.argsort(length_R[bucket], kind="stable")], size)
    return [groups[place] for place in rng.permutation(len(groups))[shuffle.start :]]


def _cut(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


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
            prepared.options.history,
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
        arrived_N=examples.arrived_N[shown],
        match_request_M=match_request_M,
        match_item_M=examples.match_item_M[matched],
        weight_N=examples.weight_N[shown],
        weight_M=examples.weight_M[matched],
        next_kind_R=examples.next_kind_R[rows],
        fold_R=examples.fold_R[rows],
    )


def _slices(
    offset_R1: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat places of all slices ``offset[row] : offset[row + 1]``, and each place's own row."""
    length_R = offset_R1[rows + 1] - offset_R1[rows]
    owner_N = np.repeat(np.arange(len(rows)), length_R)
    first_N = np.repeat(length_R.cumsum() - length_R, length_R)
    return offset_R1[rows][owner_N] + np.arange(len(owner_N)) - first_N, owner_N
