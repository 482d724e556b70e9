"""Rank correlation (Spearman, 1904).

Shape suffixes in this file: N = rows; T = distinct values of a column, rising.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import (
    require_one_per_row,
    require_ordered,
    row_weights,
    run_starts,
)
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def spearman(
    a_N: NDArray[np.floating],
    b_N: NDArray[np.floating],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """Whether two columns order rows alike: 1 the same order, -1 the reverse, about 0 none.

    Pearson's correlation of the ranks; equal values share the mean of their ranks. Over all
    rows, not within queries: it also rewards knowing which queries are easy.

    Args:
        a_N: ``[N]`` such as scores; nan is refused.
        b_N: ``[N]`` such as grades.
        weight_N: ``[N]`` 0 or more; a row of weight 2 is the same as that row twice.

    Returns:
        The correlation and the rows of weight above 0; nan where a column is constant.
    """
    weight = row_weights("spearman", weight_N, len(a_N))
    value = SortedSpearman.of(a_N, b_N)(weight)
    if np.isnan(value):
        return NOTHING_TO_MEASURE
    return MetricValue(value, int(np.count_nonzero(weight)))


@dataclass(frozen=True, slots=True)
class SortedSpearman:
    """The correlation of the same columns under many weightings: sorted once, each O(N)."""

    a: _Sorted
    b: _Sorted

    @classmethod
    def of(cls, a_N: NDArray[np.floating], b_N: NDArray[np.floating]) -> SortedSpearman:
        require_one_per_row("spearman", a_N, b_N)
        for column in (a_N, b_N):
            require_ordered("spearman", column)
        return cls(_Sorted.of(a_N), _Sorted.of(b_N))

    def __call__(self, weight_N: NDArray[Any]) -> float:
        """The correlation with these row weights; nan where a column is constant."""
        weight = weight_N.astype(np.float64)
        total = weight.sum()
        if total == 0:
            return float("nan")
        a_N, b_N = (side.middle_ranks(weight) for side in (self.a, self.b))
        a_N, b_N = a_N - weight @ a_N / total, b_N - weight @ b_N / total
        spread = float(np.sqrt((weight @ a_N**2) * (weight @ b_N**2)))
        return float(weight @ (a_N * b_N) / spread) if spread > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class _Sorted:
    order_N: NDArray[np.intp]
    start_T: NDArray[np.intp]

    @classmethod
    def of(cls, column_N: NDArray[np.floating]) -> _Sorted:
        order_N = np.argsort(column_N, kind="stable")
        return cls(order_N, run_starts(column_N[order_N]))

    def middle_ranks(self, weight_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rank of each row, in weight: what lies below it and half of what equals it."""
        mass_T = np.add.reduceat(weight_N[self.order_N], self.start_T)
        middle_T = mass_T.cumsum() - mass_T / 2
        rank_N = np.empty(len(self.order_N))
        rank_N[self.order_N] = np.repeat(middle_T, np.diff(self.start_T, append=len(self.order_N)))
        return rank_N
