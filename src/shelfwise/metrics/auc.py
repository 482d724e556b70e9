"""Area under the ROC curve, exact under ties and weights.

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


def auc(
    score_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """Probability that a positive row outranks a negative one, ties counting one half.

    With weights, a pair counts with the product of its rows' weights, so a row of weight 2
    is the same as that row twice. Without positives or without negatives there is no AUC.

    Args:
        score_N: ``[N]`` higher means more likely positive; infinities are in order, nan is not.
        label_N: ``[N]``.
        weight_N: ``[N]`` 0 or more.

    Returns:
        The AUC and the rows of weight above 0.
    """
    weight = row_weights("auc", weight_N, len(score_N))
    value = SortedAuc.of(score_N, label_N)(weight)
    if np.isnan(value):
        return NOTHING_TO_MEASURE
    return MetricValue(value, int(np.count_nonzero(weight)))


@dataclass(frozen=True, slots=True)
class SortedAuc:
    """The AUC of the same scores under many weightings: sorted once, each weighting O(N).

    This is what a bootstrap needs: ``bootstrap_rows(SortedAuc.of(score, label), group, seed=0)``.
    """

    order_N: NDArray[np.intp]  # rows by rising score
    label_N: NDArray[np.float64]  # labels in that order
    start_T: NDArray[np.intp]  # where each distinct score begins

    @classmethod
    def of(cls, score_N: NDArray[np.floating], label_N: NDArray[np.bool_]) -> SortedAuc:
        require_one_per_row("auc", score_N, label_N)
        require_ordered("auc", score_N)
        order_N = np.argsort(score_N, kind="stable")
        return cls(order_N, label_N[order_N].astype(np.float64), run_starts(score_N[order_N]))

    def __call__(self, weight_N: NDArray[Any]) -> float:
        """AUC with these row weights, in the rows' original order; nan where there is none."""
        if len(self.order_N) == 0:
            return float("nan")
        weight_by_score_N = weight_N[self.order_N].astype(np.float64)
        positive_N = weight_by_score_N * self.label_N
        positive_T = np.add.reduceat(positive_N, self.start_T)
        negative_T = np.add.reduceat(weight_by_score_N - positive_N, self.start_T)
        pairs = positive_T.sum() * negative_T.sum()
        if pairs == 0:
            return float("nan")
        # A positive beats the negatives of every lower score and half of those of its own.
        beaten_T = np.cumsum(negative_T) - negative_T / 2
        return float(positive_T @ beaten_T / pairs)
