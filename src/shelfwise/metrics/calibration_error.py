"""Expected calibration error (Naeini et al., 2015), in bins of equal mass.

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.reliability_curve import reliability_curve
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
