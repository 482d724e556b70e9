"""The direct method: what a reward model expects of the policy's own actions."""

from __future__ import annotations

from shelfwise.evaluation.off_policy.logged import Floats, Linear


def direct_method(target_N: Floats) -> Linear:
    """``mean over rows of the model's expectation under the policy``.

    The influence holds the rows' own spread alone; the model's error is not in it.
    `reward_model` adds what its coefficients' noise does, and `bias_aware` what its form does.
    """
    value = float(target_N.mean())
    return Linear(value, target_N - value)
