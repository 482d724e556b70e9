"""Self-normalised inverse propensity scoring (Swaminathan and Joachims, 2015)."""

from __future__ import annotations

import numpy as np

from shelfwise.evaluation.off_policy.logged import Floats, Linear


def self_normalised(reward_N: Floats, weight_N: Floats) -> Linear:
    """``sum(w * reward) / sum(w)``: stays within the rewards' range; biased by order 1 / N."""
    total = float(weight_N.sum())
    if total <= 0:
        return Linear(float("nan"), np.full(len(reward_N), np.nan))
    value = float((weight_N * reward_N).sum()) / total
    return Linear(value, weight_N * (reward_N - value) * (len(weight_N) / total))
