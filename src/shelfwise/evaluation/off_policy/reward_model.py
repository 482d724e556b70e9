"""A model of the reward for the direct and the doubly robust method, fitted across folds.

Linear in the features of (context, action), so that its expectation under a policy is its value at
the policy's mean features, exactly. For the doubly robust estimate a row's expectation comes from
coefficients fitted without the row's unit (Chernozhukov et al., 2018): else the model would explain
its own noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.off_policy.direct_method import direct_method
from shelfwise.evaluation.off_policy.logged import Floats, Linear, Modelled

_RIDGE = 1e-6  # of the mean diagonal: settles collinear columns, moves nothing else
FOLDS = 5


def modelled(
    feature_NF: Floats,
    target_feature_NF: Floats,
    reward_N: Floats,
    unit_N: NDArray[np.int64],
) -> Modelled:
    """Fit, cross-fitted by unit, and say what is expected of the log's actions and of the policy's.

    Args:
        feature_NF: features of the logged action in its context, a column of ones among them.
        target_feature_NF: their mean over what the policy would do in the same context.
        reward_N: what the logged action earned.
        unit_N: rows of a unit stand in one fold.
    """
    _, fold_N = np.unique(unit_N, return_inverse=True)
    fold_N = fold_N % FOLDS
    logged_N, target_N = np.zeros(len(reward_N)), np.zeros(len(reward_N))
    for fold in range(FOLDS):
        inside_N = fold_N == fold
        held = inside_N if inside_N.all() else ~inside_N
        weight_F = _inverse(feature_NF[held]) @ (feature_NF[held].T @ reward_N[held])
        logged_N[inside_N] = feature_NF[inside_N] @ weight_F
        target_N[inside_N] = target_feature_NF[inside_N] @ weight_F
    return Modelled(logged_N, target_N, _direct(feature_NF, target_feature_NF, reward_N))


def _direct(feature_NF: Floats, target_feature_NF: Floats, reward_N: Floats) -> Linear:
    """The direct method with coefficients of all rows; their noise is part of the influence:

    ``q(policy) - value + mean(policy's features)' (F'F / N)^-1 f (reward - q(f))``.
    """
    inverse_FF = _inverse(feature_NF)
    weight_F = inverse_FF @ (feature_NF.T @ reward_N)
    value, spread_N = direct_method(target_feature_NF @ weight_F)
    usual_F = target_feature_NF.mean(axis=0)
    implied_N = feature_NF @ (inverse_FF @ usual_F) * len(reward_N)
    return Linear(value, spread_N + implied_N * (reward_N - feature_NF @ weight_F))


def _inverse(feature_NF: Floats) -> Floats:
    moment_FF = feature_NF.T @ feature_NF
    ridge = _RIDGE * np.trace(moment_FF) / len(moment_FF)
    return np.asarray(np.linalg.inv(moment_FF + ridge * np.eye(len(moment_FF))))
