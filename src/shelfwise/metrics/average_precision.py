"""Area under the precision-recall curve (PR-AUC), as average precision.

Shape suffixes in this file: N = rows; T = distinct scores, in rising order.
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


def average_precision(
    score_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """Precision at the depth of a positive row, on average over the positive rows (PR-AUC).

    ``sum over distinct scores of (recall gained there) * (precision down to there)``: rows of
    one score are called positive together, so their order cannot count. The area is summed in
    steps and never interpolated, which would flatter (Davis and Goadrich, 2006). A random
    order scores about the share of positive rows, so compare it within one data set only.

    Args:
        score_N: ``[N]`` higher means more likely positive; infinities are in order, nan is not.
        label_N: ``[N]``.
        weight_N: ``[N]`` 0 or more; a row of weight 2 is the same as that row twice.

    Returns:
        The area and the rows of weight above 0; nan without a positive row.
    """
    weight = row_weights("average_precision", weight_N, len(score_N))
    value = SortedAveragePrecision.of(score_N, label_N)(weight)
    if np.isnan(value):
        return NOTHING_TO_MEASURE
    return MetricValue(value, int(np.count_nonzero(weight)))


@dataclass(frozen=True, slots=True)
class SortedAveragePrecision:
    """The PR-AUC of the same scores under many weightings: sorted once, each weighting O(N)."""

    order_N: NDArray[np.intp]  # rows by rising score
    label_N: NDArray[np.float64]  # labels in that order
    start_T: NDArray[np.intp]  # where each distinct score begins

    @classmethod
    def of(
        cls, score_N: NDArray[np.floating], label_N: NDArray[np.bool_]
    ) -> SortedAveragePrecision:
        require_one_per_row("average_precision", score_N, label_N)
        require_ordered("average_precision", score_N)
        order_N = np.argsort(score_N, kind="stable")
        return cls(order_N, label_N[order_N].astype(np.float64), run_starts(score_N[order_N]))

    def __call__(self, weight_N: NDArray[Any]) -> float:
        """PR-AUC with these row weights, in the rows' original order; nan where there is none."""
        if len(self.order_N) == 0:
            return float("nan")
        weight_by_score_N = weight_N[self.order_N].astype(np.float64)
        positive_T = np.add.reduceat(weight_by_score_N * self.label_N, self.start_T)
        total = positive_T.sum()
        if total == 0:
            return float("nan")
        called_T = np.add.reduceat(weight_by_score_N, self.start_T)
        # What is called positive down to a score is that score and all above it.
        right_T, rows_T = (column[::-1].cumsum()[::-1] for column in (positive_T, called_T))
        precision_T = np.divide(right_T, rows_T, out=np.zeros(len(rows_T)), where=rows_T > 0)
        return float(positive_T @ precision_T / total)
