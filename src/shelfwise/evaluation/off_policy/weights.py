"""Importance weights: how many logged actions each one stands for under the evaluated policy."""

from __future__ import annotations

import numpy as np

from shelfwise.evaluation.off_policy.logged import Floats


def importance_weights(target_N: Floats, propensity_N: Floats, clip: float = np.inf) -> Floats:
    """``min(target / propensity, clip)``; their mean is 1 where the log covers the policy.

    A clip trades variance for bias: value on actions whose weight exceeds it is missed.
    """
    outside_N = ~((propensity_N > 0) & (propensity_N <= 1))
    if outside_N.any():
        raise ValueError(
            f"propensities lie above 0 and at most at 1, got {propensity_N[outside_N][0]} "
            f"({int(outside_N.sum())} of {len(propensity_N)} rows outside)"
        )
    return np.minimum(target_N / propensity_N, clip)


def effective_sample_size(weight_N: Floats) -> float:
    """``(sum w)^2 / sum w^2``: rows of equal weight that would know as much (Kish, 1965)."""
    square = float((weight_N**2).sum())
    return float(weight_N.sum()) ** 2 / square if square > 0 else 0.0
