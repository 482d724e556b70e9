"""Expected calibration error (Naeini et al., 2015), in bins of equal mass.

Shape suffixes in this file: N = rows; T = distinct predictions, in rising order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.reliability_curve import reliability_curve
from shelfwise.metrics.rows import require_one_per_row, require_probabilities, run_starts
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def calibration_error(
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    bins: int = 20,
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """How far predictions lie from what happens (ECE), on average over the rows.

    The mean over bins of ``|mean prediction - observed rate|``, weighted by the bins' mass;
    ``reliability_curve`` says how bins are cut. It is not 0 for a perfect model on finite
    data: with n rows of rate r, chance alone gives about ``sqrt(2/pi * r(1-r) * bins/n)``.

    Args:
        p_N: ``[N]`` predicted probability of a positive label.
        label_N: ``[N]``.
        bins: Most bins to fill.
        weight_N: ``[N]`` 0 or more.

    Returns:
        The error and the rows of weight above 0.
    """
    curve = reliability_curve(p_N, label_N, bins, weight_N)
    if len(curve.count_K) == 0:
        return NOTHING_TO_MEASURE
    gap_K = np.abs(curve.predicted_K - curve.observed_K)
    support = len(p_N) if weight_N is None else int(np.count_nonzero(weight_N))
    return MetricValue(float(np.average(gap_K, weights=curve.count_K)), support)


@dataclass(frozen=True, slots=True)
class SortedCalibrationError:
    """The error of the same predictions under many weightings: sorted once, each weighting O(N)."""

    order_N: NDArray[np.intp]  # rows by rising prediction
    label_N: NDArray[np.float64]  # labels in that order
    start_T: NDArray[np.intp]  # where each distinct prediction begins
    p_T: NDArray[np.float64]
    bins: int

    @classmethod
    def of(
        cls, p_N: NDArray[np.floating], label_N: NDArray[np.bool_], bins: int = 20
    ) -> SortedCalibrationError:
        require_one_per_row("calibration_error", p_N, label_N)
        require_probabilities("calibration_error", p_N)
        order_N = np.argsort(p_N, kind="stable")
        start_T = run_starts(p_N[order_N])
        p_T = p_N[order_N][start_T].astype(np.float64)
        return cls(order_N, label_N[order_N].astype(np.float64), start_T, p_T, bins)

    def __call__(self, weight_N: NDArray[Any]) -> float:
        """The error with these row weights, in the rows' original order; nan without any."""
        weight_by_order_N = weight_N[self.order_N].astype(np.float64)
        total = weight_by_order_N.sum()
        if total == 0:
            return float("nan")
        mass_T = np.add.reduceat(weight_by_order_N, self.start_T)
        positive_T = np.add.reduceat(weight_by_order_N * self.label_N, self.start_T)
        middle_T = np.cumsum(mass_T) - mass_T / 2  # bins as reliability_curve cuts them
        bin_T = np.minimum((middle_T / total * self.bins).astype(np.int64), self.bins - 1)
        gap = np.bincount(bin_T, mass_T * self.p_T - positive_T, minlength=self.bins)
        return float(np.abs(gap).sum() / total)
