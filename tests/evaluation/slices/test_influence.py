from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest

from shelfwise.evaluation.slices.influence import (
    auc_estimate,
    gap_of,
    interval_of,
    mean_estimate,
    ratio_estimate,
    users_of,
    variance_of,
    weighted_mean_estimate,
)
from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.bootstrap import bootstrap_rows


def test_an_auc_by_hand() -> None:
    # Positives .9 and .4, negatives .5, .4 and .1. The first beats all three, the second one and a
    # half: AUC = (3 + 1.5) / 6 = .75.
    score = np.array([0.9, 0.4, 0.5, 0.4, 0.1])
    label = np.array([True, True, False, False, False])

    found = auc_estimate(score, label)

    assert found.value == pytest.approx(0.75)
    # Of the positives: (1 - .75) / 2 and (.5 - .75) / 2. Each negative is beaten by this share of
    # the positives: .5, .75 and 1.
    assert found.influence_N.tolist() == pytest.approx([0.125, -0.125, -0.25 / 3, 0.0, 0.25 / 3])


def test_a_mean_has_the_usual_error() -> None:
    # 1, 2, 3, 6 by four users: mean 3, variance of the sample (4 + 1 + 0 + 9) / 3 over 4.
    value = np.array([1.0, 2.0, 3.0, 6.0])

    found = interval_of(mean_estimate(value), np.arange(4))

    error = sqrt(14 / 3 / 4)
    assert found.value == 3
    assert found.high - found.value == pytest.approx(1.959964 * error)
    assert found.support == 4


def test_rows_of_one_user_move_together() -> None:
    # The same four rows twice: eight rows of four users know no more than four of four.
    once = np.array([1.0, 2.0, 3.0, 6.0])
    users = np.arange(4)

    twice = mean_estimate(np.concatenate([once, once]))

    both = variance_of(twice.influence_N, np.concatenate([users, users]))
    assert both == pytest.approx(variance_of(mean_estimate(once).influence_N, users))


def test_numbers_of_users_mean_nothing() -> None:
    random = np.random.default_rng(0)
    influence, user = random.normal(size=50), random.integers(9, size=50)

    assert variance_of(influence, user * 10**9) == pytest.approx(variance_of(influence, user))
    assert users_of(user * 10**9) == users_of(user) == 9


def test_influences_sum_to_nothing() -> None:
    random = np.random.default_rng(1)
    p, label = random.random(200), random.random(200) < 0.2
    for found in (
        auc_estimate(p.round(1), label),
        ratio_estimate(p, label),
        mean_estimate(p),
        weighted_mean_estimate(p, random.random(200)),
    ):
        assert found.influence_N.sum() == pytest.approx(0, abs=1e-12)


def test_intervals_agree_with_the_bootstrap() -> None:
    random = np.random.default_rng(2)
    user = random.integers(150, size=3_000)
    taste = random.normal(size=150)[user]
    logit = random.normal(-2, 1, size=3_000) + taste
    label = random.random(3_000) < 1 / (1 + np.exp(-logit))
    score = logit + random.normal(size=3_000)

    found = interval_of(auc_estimate(score, label), user)
    drawn = bootstrap_rows(SortedAuc.of(score, label), user, draws=400, seed=0)

    assert found.value == pytest.approx(drawn.value)
    width = drawn.high - drawn.low
    assert found.low == pytest.approx(drawn.low, abs=width / 8)
    assert found.high == pytest.approx(drawn.high, abs=width / 8)


def test_a_gap_of_the_same_rows_is_none() -> None:
    random = np.random.default_rng(3)
    estimate, user = mean_estimate(random.random(40)), random.integers(12, size=40)

    found = gap_of(estimate, user, estimate, user)

    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_what_cannot_be_computed() -> None:
    nothing = auc_estimate(np.array([0.1, 0.2]), np.array([False, False]))

    assert isnan(nothing.value)
    assert interval_of(nothing, np.arange(2)).support == 0
    assert isnan(ratio_estimate(np.array([0.1]), np.array([False])).value)
