"""The slices in which a run does worst, searched for: single columns, then pairs of columns.

A pair is named only where it is certainly worse than either of its columns alone.

Slices are ranked by the loss that is certain: the lower bound of how much worse they are than the
whole. By their plain loss the smallest would win, which are bad by chance. Every slice looked at
counts in Holm's correction, so that the more are looked at, the more it takes to be named.

Shape suffixes in this file: N = rows, K = rows of a slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.evaluation.slices.influence import Estimate, gap_of, interval_of
from shelfwise.evaluation.slices.measure import Measure
from shelfwise.evaluation.slices.slices import Slice, large_enough, slice_of, values_of
from shelfwise.metrics.holm import holm_adjusted

_PAIRED = 24  # single slices of which pairs are made, those that lose most
_MOST_NAMED = 5
_ALIKE = 0.5  # share of the smaller slice's rows that lie in the other


@dataclass(frozen=True, slots=True)
class WorstSlice:
    """A slice that is worse than the whole, beyond what chance among so many slices explains."""

    slice: Slice
    loss: float  # how much worse than the whole, in the metric's unit
    loss_low: float  # its lower bound, by which slices are ranked
    p_holm: float  # corrected for every slice looked at


@dataclass(frozen=True, slots=True)
class Worst:
    """What the search found, and how far it looked."""

    task: str
    metric: str
    value: float  # of the whole
    looked_at: int  # slices tested
    found: list[WorstSlice]  # the worst first

    @property
    def sentence(self) -> str:
        """In words."""
        looked = f"{self.looked_at:,} slices and pairs of slices were looked at"
        if not self.found:
            return f"No slice is certainly worse than the whole at {self.metric}; {looked}."
        first = self.found[0]
        return (
            f"{self.task.capitalize()} {self.metric} is worst in {first.slice.name}: "
            f"{first.slice.value:.3f} against {self.value:.3f} in all ({first.slice.rows:,} rows, "
            f"{first.slice.positives:,} positives); {looked}."
        )


class _Candidate(NamedTuple):
    where: tuple[tuple[str, str], ...]
    rows_K: NDArray[np.int64]
    loss: float
    low: float
    p_value: float
    beyond: float = 0.0  # loss that the lower bound must exceed


def worst_slices(
    table: pl.DataFrame, measure: Measure, skip: tuple[str, ...] = ("place",)
) -> Worst:
    """Search every column of ``table``, then pairs of the slices that lose most.

    Args:
        table: ``[N]`` rows of words.
        measure: over the same rows.
        skip: columns that are left out: within one place, an AUC is lower for every network, since
            the place itself can no longer help.
    """
    whole = measure.estimate(np.arange(len(table)))
    singles = [
        _candidate(((column, value),), rows_K, measure, whole)
        for column, value, rows_K in values_of(table.drop(skip, strict=False))
        if large_enough(measure, rows_K)
    ]
    singles = [one for one in singles if not np.isnan(one.low)]
    losing = sorted(singles, key=lambda one: -one.low)[:_PAIRED]
    pairs = [
        _candidate(one.where + other.where, both_K, measure, whole)._replace(
            beyond=max(one.loss, other.loss)
        )
        for one, other in combinations(losing, 2)
        if one.where[0][0] != other.where[0][0]
        and large_enough(measure, both_K := np.intersect1d(one.rows_K, other.rows_K))
        and len(both_K) < 0.9 * min(len(one.rows_K), len(other.rows_K))
    ]
    looked_at = [*singles, *(one for one in pairs if not np.isnan(one.low))]
    corrected = holm_adjusted(np.array([one.p_value for one in looked_at]))
    certain = [
        (one, float(p))
        for one, p in zip(looked_at, corrected, strict=True)
        if one.low > one.beyond and p < 0.05
    ]
    certain.sort(key=lambda one: -one[0].low)
    found = [
        WorstSlice(slice_of(one.where, one.rows_K, measure), one.loss, one.low, p)
        for one, p in _different(certain)
    ]
    return Worst(measure.task, measure.metric, whole.value, len(looked_at), found)


def _different(certain: list[tuple[_Candidate, float]]) -> list[tuple[_Candidate, float]]:
    """Of slices that are much the same rows, the worst: the others say nothing new."""
    kept: list[tuple[_Candidate, float]] = []
    for one, p in certain:
        rows = len(one.rows_K)
        alike = (
            len(np.intersect1d(one.rows_K, other.rows_K)) / min(rows, len(other.rows_K))
            for other, _ in kept
        )
        if len(kept) < _MOST_NAMED and all(share < _ALIKE for share in alike):
            kept.append((one, p))
    return kept


def _candidate(
    where: tuple[tuple[str, str], ...],
    rows_K: NDArray[np.int64],
    measure: Measure,
    whole: Estimate,
) -> _Candidate:
    inside = measure.estimate(rows_K)
    owner_K = measure.owner_N[rows_K]
    if measure.better == "near 1":
        # Its own distance from 1, whatever the whole's.
        found = interval_of(inside, owner_K)
        high_side = found.value >= 1
        low = found.low - 1 if high_side else 1 - found.high
        gap = gap_of(inside, owner_K, Estimate(1.0, np.empty(0)), np.empty(0, np.int64))
        return _Candidate(where, rows_K, abs(found.value - 1), low, gap.p_value)
    gap = gap_of(whole, measure.owner_N, inside, owner_K)
    if measure.better == "higher":
        return _Candidate(where, rows_K, gap.value, gap.low, gap.p_value)
    return _Candidate(where, rows_K, -gap.value, -gap.high, gap.p_value)
