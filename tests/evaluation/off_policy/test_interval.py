from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from shelfwise.evaluation.off_policy.interval import bias_aware, interval_of
from shelfwise.evaluation.off_policy.inverse_propensity import inverse_propensity
from shelfwise.evaluation.off_policy.logged import Linear


def test_an_interval_by_hand_where_nothing_is_skewed() -> None:
    # 100 units of one row, half at +1, half at -1: error sqrt(100 / 99) / 10; kurtosis about 1, so
    # 99 degrees of freedom, whose 97.5 % point is 1.9842
    influence = np.repeat([1.0, -1.0], 50)

    found = interval_of(Linear(3.0, influence), np.arange(100))

    assert found.high - 3 == pytest.approx(1.9842 * sqrt(100 / 99) / 10, rel=1e-4)
    assert 3 - found.low == pytest.approx(found.high - 3)
    assert found.support == 100


def test_rows_of_one_unit_are_one_observation() -> None:
    # Each row four times in the same unit: as wide as the rows once.
    influence = np.random.default_rng(1).normal(size=60)

    once = interval_of(Linear(0.0, influence), np.arange(60))
    four = interval_of(Linear(0.0, np.tile(influence, 4)), np.tile(np.arange(60), 4))

    assert four.high == pytest.approx(once.high)
    assert four.support == 60


def test_a_rare_reward_leans_the_interval_to_the_side_of_more() -> None:
    reward = np.zeros(500)
    reward[:6] = 1
    found = inverse_propensity(reward, np.ones(500))

    interval = interval_of(found, np.arange(500))

    assert interval.low > 0
    assert interval.high - found.value > 1.3 * (found.value - interval.low)
    # Clopper and Pearson's exact interval of 6 in 500 is .0044 to .0259; ours is wider.
    assert interval.low == pytest.approx(0.0044, abs=0.0015)
    assert interval.high == pytest.approx(0.0259, abs=0.006)


def test_a_model_is_never_surer_than_the_log_that_checks_it() -> None:
    random = np.random.default_rng(2)
    units = np.arange(400)
    robust = Linear(0.50, random.normal(size=400))
    error = sqrt((robust.influence_N**2).sum()) / 400

    agreed = bias_aware(Linear(0.50, np.zeros(400)), robust, units)
    far = bias_aware(Linear(0.90, np.zeros(400)), robust, units)

    # |N(0, error)| stays below 1.96 error; far off, the gap and 1.645 error on one side.
    assert agreed.high - 0.50 == pytest.approx(1.96 * error, rel=1e-3)
    assert far.high - 0.90 == pytest.approx(0.40 + 1.645 * error, rel=1e-3)
