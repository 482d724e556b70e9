"""Predicted over observed positives (PCOC).

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_probabilities, row_weights
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def predicted_over_observed(
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """Clicks the model promised for every click that came (PCOC): ``sum p / sum label``.

    1 is right on the whole, 1.2 promises a fifth too many. Without a positive label it
    cannot be computed.

    Args:
        p_N: ``[N]`` predicted probability of a positive label.
        label_N: ``[N]``.
        weight_N: ``[N]`` 0 or more.

    Returns:
        The ratio and the rows of weight above 0.
    """
    require_one_per_row("predicted_over_observed", p_N, label_N)
    require_probabilities("predicted_over_observed", p_N)
    weight = row_weights("predicted_over_observed", weight_N, len(p_N))
    observed = float(weight @ label_N.astype(np.float64))
    if observed == 0:
        return NOTHING_TO_MEASURE
    predicted = float(weight @ p_N.astype(np.float64))
    return MetricValue(predicted / observed, int(np.count_nonzero(weight)))
