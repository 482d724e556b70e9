"""Mean squared error of probabilities (Brier, 1950).

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_probabilities, row_weights
from shelfwise.metrics.value import MetricValue, mean_value


def brier_score(
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """How far predictions lie from what happened, squared: the mean of ``(p - label)^2``.

    0 is perfect. Predicting the rate r for every row scores ``r (1 - r)``, so for rare labels
    all values are small: read it beside that one.

    Args:
        p_N: ``[N]`` predicted probability of a positive label.
        label_N: ``[N]``.
        weight_N: ``[N]`` 0 or more.

    Returns:
        The weighted mean and the rows of weight above 0.
    """
    require_one_per_row("brier_score", p_N, label_N)
    require_probabilities("brier_score", p_N)
    miss_N = p_N.astype(np.float64) - label_N.astype(np.float64)
    return mean_value(miss_N**2, row_weights("brier_score", weight_N, len(p_N)))
