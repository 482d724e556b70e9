"""Log loss over that of the average rate (He et al., 2014, "Practical Lessons from Predicting
Clicks on Ads at Facebook").

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.log_loss import log_loss
from shelfwise.metrics.rows import row_weights
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def normalised_entropy(
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """Share of the labels' surprise that the model leaves (NE).

    ``log loss / -(r log r + (1 - r) log(1 - r))`` with r the share of positive labels in the
    same rows. 1 is no better than predicting r for everybody; below 1 is better; a model may
    order rows well and still stand above 1. Unlike log loss it can be compared between data
    sets of different rates. Where all labels are alike nothing can surprise: nan.

    Args:
        p_N: ``[N]`` predicted probability of a positive label.
        label_N: ``[N]``.
        weight_N: ``[N]`` 0 or more.

    Returns:
        The ratio and the rows of weight above 0.
    """
    loss = log_loss(p_N, label_N, weight_N)
    if loss.support == 0:
        return NOTHING_TO_MEASURE
    weight = row_weights("normalised_entropy", weight_N, len(p_N))
    rate = float(np.average(label_N.astype(np.float64), weights=weight))
    surprise = float(entropy_of(np.array(rate)))
    if surprise == 0:
        return NOTHING_TO_MEASURE
    return MetricValue(loss.value / surprise, loss.support)


def entropy_of(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Surprise of labels that are positive with this rate, in nats; 0 where they are all alike."""
    mixed = (rate > 0) & (rate < 1)
    safe = np.where(mixed, rate, 0.5)
    return np.where(mixed, -safe * np.log(safe) - (1 - safe) * np.log1p(-safe), 0.0)
