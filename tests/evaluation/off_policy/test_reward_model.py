from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from shelfwise.evaluation.off_policy.reward_model import modelled


def test_the_models_noise_is_in_its_interval() -> None:
    """Against the spread of the direct method over 300 logs."""
    values, errors = [], []
    for seed in range(300):
        random = np.random.default_rng(seed)
        x = random.normal(size=200)
        feature = np.stack([np.ones(200), x], axis=1)
        shifted = np.stack([np.ones(200), x + 1], axis=1)
        reward = 1 + 0.5 * x + random.normal(size=200)
        direct = modelled(feature, shifted, reward, np.arange(200)).direct
        values.append(direct.value)
        errors.append(sqrt((direct.influence_N**2).sum()) / 200)

    assert np.mean(values) == pytest.approx(1.5, abs=0.03)
    # 300 draws know a spread to 4 %.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.13)


def test_no_row_is_judged_by_a_model_that_saw_its_unit() -> None:
    """A column that names the unit explains every reward, and nothing across folds."""
    unit = np.arange(40)
    reward = np.random.default_rng(0).normal(size=40)
    feature = np.concatenate([np.ones((40, 1)), np.eye(40)], axis=1)

    model = modelled(feature, feature, reward, unit)

    other = np.array([reward[unit % 5 != fold].mean() for fold in range(5)])
    assert model.logged_N == pytest.approx(other[unit % 5], abs=0.1)
