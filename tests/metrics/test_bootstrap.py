from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from shelfwise.metrics import bootstrap as module
from shelfwise.metrics.auc import SortedAuc, auc
from shelfwise.metrics.bootstrap import (
    bootstrap_interval,
    bootstrap_rows,
    bootstrap_sums,
    paired_interval,
)
from shelfwise.metrics.log_loss import log_loss


def test_interval_of_a_coin_is_that_of_the_normal_law() -> None:
    # 400 users, half of them 1: standard error sqrt(.25 / 400) = .025, so .5 -+ 1.96 * .025
    value = np.repeat([0.0, 1.0], 200)

    interval = bootstrap_interval(value, draws=4000, seed=0)

    assert interval.value == 0.5
    assert interval.support == 400
    assert interval.low == pytest.approx(0.5 - 1.96 * sqrt(0.25 / 400), abs=0.004)
    assert interval.high == pytest.approx(0.5 + 1.96 * sqrt(0.25 / 400), abs=0.004)


def test_19_of_20_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(3)
    held = 0
    for seed in range(300):
        interval = bootstrap_interval(random.normal(2, 1, size=50), draws=200, seed=seed)
        held += interval.low <= 2 <= interval.high

    # Binomial(300, .95) has standard deviation 1.3 %; the percentile bootstrap is a bit narrow.
    assert 0.90 <= held / 300 <= 0.98


def test_a_weighted_mean_by_hand() -> None:
    # (1 * .2 + 3 * .6) / 4 = .5; nan and weight 0 are no users
    value = np.array([0.2, np.nan, 0.6, 9.0])
    interval = bootstrap_interval(value, np.array([1, 1, 3, 0]), seed=0)

    assert interval.value == pytest.approx(0.5)
    # Of two users, one draw in four holds only the first, one in four only the second.
    assert (interval.low, interval.high) == (pytest.approx(0.2), pytest.approx(0.6))
    assert interval.support == 2


def test_draws_do_not_depend_on_how_they_are_cut_into_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = np.random.default_rng(1).random(30)
    whole = bootstrap_interval(value, draws=50, seed=7)
    monkeypatch.setattr(module, "_BLOCK_CELLS", 90)

    assert bootstrap_interval(value, draws=50, seed=7) == whole
    assert bootstrap_interval(value, draws=50, seed=8) != whole


@pytest.mark.parametrize(("value", "support"), [([0.3], 1), ([], 0), ([np.nan], 0)])
def test_fewer_than_two_users_have_no_range(value: list[float], support: int) -> None:
    interval = bootstrap_interval(np.array(value), seed=0)

    assert interval.support == support
    assert np.isnan([interval.low, interval.high]).all()
    assert np.isnan(interval.value) == (support == 0)


def test_pairs_tell_apart_what_single_intervals_cannot() -> None:
    # b is a little worse for every user, by far less than users differ from each other.
    a = np.random.default_rng(0).random(200)
    b = a - np.tile([0.01, 0.03], 100)
    b[0] = np.nan

    difference = paired_interval(a, b, seed=0)
    alone = bootstrap_interval(b, seed=0)

    assert difference.support == 199
    assert difference.value == pytest.approx(np.mean((a - b)[1:]))
    assert difference.low > 0
    assert alone.low < a.mean() < alone.high


def test_rows_alone_in_their_groups_are_users() -> None:
    random = np.random.default_rng(0)
    p, label = random.uniform(0.1, 0.9, 300), random.random(300) < 0.5

    rows = bootstrap_rows(
        lambda weight: log_loss(p, label, weight).value, np.arange(300), draws=1000, seed=0
    )
    users = bootstrap_interval(np.where(label, -np.log(p), -np.log(1 - p)), draws=1000, seed=1)

    assert rows.value == pytest.approx(users.value)
    assert (rows.low, rows.high) == pytest.approx((users.low, users.high), abs=0.01)
    assert rows.support == 300


def test_copies_of_a_group_make_the_range_no_narrower() -> None:
    # Every row ten times over, under the group of the original: nothing new was seen.
    random = np.random.default_rng(0)
    score, label, group = random.random(60), random.random(60) < 0.4, np.arange(60) // 3

    once = bootstrap_rows(SortedAuc.of(score, label), group, seed=5)
    tenfold = bootstrap_rows(
        SortedAuc.of(score.repeat(10), label.repeat(10)), group.repeat(10), seed=5
    )

    assert once.value == pytest.approx(auc(score, label).value)
    assert tuple(tenfold) == pytest.approx(tuple(once))
    assert once.support == 20


def test_draws_without_a_positive_are_left_out() -> None:
    # Groups "a" (positive) and "b" (negative): half the draws hold one class alone.
    interval = bootstrap_rows(
        SortedAuc.of(np.array([0.9, 0.1]), np.array([True, False])), np.array(["a", "b"]), seed=0
    )

    assert interval == (1.0, 1.0, 1.0, 2)


def test_a_metric_without_a_value_has_no_range() -> None:
    interval = bootstrap_rows(
        SortedAuc.of(np.array([0.9, 0.1]), np.array([True, True])), np.array([0, 1]), seed=0
    )

    assert interval.support == 0
    assert np.isnan(interval[:3]).all()


def test_a_level_of_95_is_not_a_share() -> None:
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        bootstrap_interval(np.ones(3), seed=0, level=95)


def test_many_skewed_users_have_the_interval_of_scipy() -> None:
    # With 800 users the small-sample widening is a tenth of a percent.
    value = np.random.default_rng(0).exponential(size=800)

    ours = bootstrap_interval(value, draws=8000, seed=0)

    theirs = stats.bootstrap(
        (value,), np.mean, n_resamples=8000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_few_users_of_a_skewed_metric_hold_the_truth_as_often() -> None:
    # As NDCG with 40 users of whom one in five finds something; the plain percentile interval
    # holds the truth in 91 % of such shops, this one in 94 % (1,000 shops of 1,000 draws).
    random = np.random.default_rng(5)
    gain = 1 / np.log2(np.arange(2, 12))
    held = 0
    for seed in range(300):
        value = np.where(random.random(40) < 0.2, random.choice(gain, 40), 0)
        interval = bootstrap_interval(value, draws=400, seed=seed)
        held += interval.low <= 0.2 * gain.mean() <= interval.high

    assert 0.92 <= held / 300 <= 0.98


def test_ten_users_are_held_as_wide_as_students_t() -> None:
    # Normal values: mean -+ 2.262 * s / sqrt(10), and not 1.96 * sqrt(9/10) * s / sqrt(10).
    value = stats.norm.ppf((np.arange(10) + 0.5) / 10)

    interval = bootstrap_interval(value, draws=20_000, seed=0)

    reach = stats.t.ppf(0.975, 9) * value.std(ddof=1) / sqrt(10)
    assert interval.high - interval.low == pytest.approx(2 * reach, rel=0.04)


def test_sums_are_the_rows_added_up() -> None:
    random = np.random.default_rng(0)
    p, label, group = random.uniform(0.1, 0.9, 900), random.random(900) < 0.5, np.arange(900) // 3

    def pcoc(weight: np.ndarray) -> float:
        return float(weight @ p / (weight @ label))

    by_rows = bootstrap_rows(pcoc, group, draws=500, seed=4)
    by_sums = bootstrap_sums(
        lambda sums: sums[:, 0] / sums[:, 1], np.stack([p, label], axis=1), group, draws=500, seed=4
    )

    # The same draws; the levels differ, since the second knows each group's influence.
    assert by_sums.value == pytest.approx(by_rows.value)
    assert by_sums.support == by_rows.support == 300
    assert (by_sums.low, by_sums.high) == pytest.approx((by_rows.low, by_rows.high), abs=0.02)


def test_sums_without_a_value() -> None:
    def share(sums: np.ndarray) -> np.ndarray:
        return np.full(len(sums), np.nan)

    found = bootstrap_sums(share, np.zeros((3, 2)), np.arange(3), seed=0)
    assert found.support == 0
    assert np.isnan(found[:3]).all()
    assert bootstrap_sums(share, np.zeros((0, 2)), np.arange(0), seed=0).support == 0


def test_a_few_users_who_fill_the_log_are_few() -> None:
    # 2 users of 100 rows among 50 of one: (200 + 50)^2 / (2 * 100^2 + 50) = 3.1 users, for whom
    # Student's t asks far wider levels than for 52.
    random = np.random.default_rng(0)
    rows = np.repeat([100, 1], [2, 50])
    group, value = np.arange(52).repeat(rows), random.normal(size=250)

    def mean(weight: np.ndarray) -> float:
        return float(np.average(value, weights=weight))

    uneven = bootstrap_rows(mean, group, draws=2000, seed=0)
    drawn = [
        mean(np.bincount(random.integers(52, size=52), minlength=52)[group]) for _ in range(2000)
    ]

    plain = np.quantile(drawn, [0.025, 0.975])
    assert uneven.low < plain[0] - 0.01
    assert uneven.high > plain[1] + 0.01
