"""Root mean squared error.

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, row_weights
from shelfwise.metrics.value import MetricValue, mean_value


def root_mean_square(
    predicted_N: NDArray[np.floating],
    true_N: NDArray[np.floating],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """Typical distance between predicted and true, in their own unit (RMSE).

    ``sqrt(mean of (predicted - true)^2)``: large errors count more than their size. Predicting
    the mean scores the standard deviation of what is true.

    Args:
        predicted_N: ``[N]`` in the unit of ``true_N``; a ranking score is not, unless fitted to it.
        true_N: ``[N]``.
        weight_N: ``[N]`` 0 or more.

    Returns:
        The error and the rows of weight above 0. Rows where either is nan are refused.
    """
    require_one_per_row("root_mean_square", predicted_N, true_N)
    error_N = predicted_N.astype(np.float64) - true_N.astype(np.float64)
    if np.isnan(error_N).any():
        raise ValueError(
            f"root_mean_square: {int(np.isnan(error_N).sum())} of {len(error_N)} rows hold nan"
        )
    mean = mean_value(error_N**2, row_weights("root_mean_square", weight_N, len(error_N)))
    return MetricValue(sqrt(mean.value) if mean.support else mean.value, mean.support)
