"""Mean negative log-likelihood of the labels.

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_probabilities, row_weights
from shelfwise.metrics.value import MetricValue, mean_value


def log_loss(
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """Surprise of the labels in nats: the mean of ``-log p`` or ``-log(1 - p)``.

    Probabilities are kept one machine epsilon of their own type away from 0 and 1, so a
    certain and wrong row costs about 16 nats in float32 and 36 in float64, not infinity.

    Args:
        p_N: ``[N]`` predicted probability of a positive label.
        label_N: ``[N]``.
        weight_N: ``[N]`` 0 or more.

    Returns:
        The weighted mean and the rows of weight above 0.
    """
    return mean_value(log_losses(p_N, label_N), row_weights("log_loss", weight_N, len(p_N)))


def log_losses(p_N: NDArray[np.floating], label_N: NDArray[np.bool_]) -> NDArray[np.float64]:
    """``[N]`` the loss of each row, to be added up; see ``log_loss``."""
    require_one_per_row("log_loss", p_N, label_N)
    require_probabilities("log_loss", p_N)
    epsilon = float(np.finfo(p_N.dtype).eps)
    safe_N = np.clip(p_N.astype(np.float64), epsilon, 1 - epsilon)
    positive_N = label_N.astype(np.float64)
    loss_N: NDArray[np.float64] = -(
        positive_N * np.log(safe_N) + (1 - positive_N) * np.log1p(-safe_N)
    )
    return loss_N
