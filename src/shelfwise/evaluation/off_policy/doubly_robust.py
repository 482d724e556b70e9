"""The doubly robust estimate (Dudik, Langford, Li, 2011, arXiv:1103.4601), with switching."""

from __future__ import annotations

import numpy as np

from shelfwise.evaluation.off_policy.logged import Floats, Linear


def doubly_robust(
    reward_N: Floats,
    weight_N: Floats,
    logged_N: Floats,
    target_N: Floats,
    switch_above: float = np.inf,
) -> Linear:
    """``mean(q(policy) + w * (reward - q(logged action)))``.

    Unbiased where the propensities are right, whatever the model; and the better the model, the
    less spread is left for the weights. Rows whose weight exceeds ``switch_above`` trust the model
    alone (Wang, Agarwal, Dudik, 2017, arXiv:1612.01205).

    Args:
        reward_N: what the logged actions earned.
        weight_N: importance weights.
        logged_N: the model's expectation of the logged action.
        target_N: its expectation under the policy.
        switch_above: largest weight that corrects the model.
    """
    trusted_N = np.where(weight_N <= switch_above, weight_N, 0.0)
    term_N = target_N + trusted_N * (reward_N - logged_N)
    value = float(term_N.mean())
    return Linear(value, term_N - value)
