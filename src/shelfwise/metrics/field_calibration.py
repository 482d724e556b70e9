"""Calibration within every value of a column (Pan et al., 2020, arXiv:1905.10713).

Predictions that are right on the whole may promise too much on one surface and too little on
another; a mean over all rows hides both.

Shape suffixes in this file: N = rows; F = values of the column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_probabilities, row_weights
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


@dataclass(frozen=True, slots=True)
class FieldCalibration:
    """What was promised and what came, for each value of a column."""

    value_F: NDArray[Any]  # distinct values, rising
    rows_F: NDArray[np.int64]  # of weight above 0
    weight_F: NDArray[np.float64]
    predicted_F: NDArray[np.float64]  # weighted sum of the predictions
    observed_F: NDArray[np.float64]  # weighted sum of the labels

    def predicted_over_observed(self) -> NDArray[np.float64]:
        """``[F]`` PCOC of each value; nan for a value without a positive label."""
        nothing = np.full(len(self.value_F), np.nan)
        ratio: NDArray[np.float64] = np.divide(
            self.predicted_F, self.observed_F, out=nothing, where=self.observed_F > 0
        )
        return ratio

    def error(self) -> MetricValue:
        """Field-ECE: ``sum over values of |predicted - observed| / weight of all rows``."""
        total = float(self.weight_F.sum())
        if total == 0:
            return NOTHING_TO_MEASURE
        gap = float(np.abs(self.predicted_F - self.observed_F).sum())
        return MetricValue(gap / total, int(self.rows_F.sum()))

    def relative_error(self) -> MetricValue:
        """Field-RCE: the mean over rows of their value's ``|predicted / observed - 1|``.

        Values without a positive label have no ratio and are left out; ``support`` counts the
        rows that are kept. (The paper adds .01 to the observed positives instead, which lets
        one rare value outweigh all others.)
        """
        kept_F = self.observed_F > 0
        if not kept_F.any():
            return NOTHING_TO_MEASURE
        off_F = np.abs(self.predicted_over_observed()[kept_F] - 1)
        value = float(np.average(off_F, weights=self.weight_F[kept_F]))
        return MetricValue(value, int(self.rows_F[kept_F].sum()))


def field_calibration(
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    field_N: NDArray[Any],
    weight_N: NDArray[Any] | None = None,
) -> FieldCalibration:
    """Predicted and observed positives of every value of a column.

    Args:
        p_N: ``[N]`` predicted probability of a positive label.
        label_N: ``[N]``.
        field_N: ``[N]`` value of the column in each row.
        weight_N: ``[N]`` 0 or more; values whose rows all weigh 0 are left out.
    """
    require_one_per_row("field_calibration", p_N, label_N, field_N)
    require_probabilities("field_calibration", p_N)
    weight = row_weights("field_calibration", weight_N, len(p_N))
    counted_N = weight > 0
    value_F, place_N = np.unique(field_N[counted_N], return_inverse=True)
    weight, p, label = weight[counted_N], p_N[counted_N], label_N[counted_N]

    def total(column: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(place_N, column, minlength=len(value_F)).astype(np.float64)

    return FieldCalibration(
        value_F,
        np.bincount(place_N, minlength=len(value_F)).astype(np.int64),
        total(weight),
        total(weight * p.astype(np.float64)),
        total(weight * label),
    )
