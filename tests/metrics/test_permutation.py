from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from shelfwise.metrics import permutation as module
from shelfwise.metrics.auc import auc
from shelfwise.metrics.permutation import sign_flip_test, swap_test


def test_three_users_by_hand() -> None:
    # Sums of +-1 +-2 +-3 of size 6: all plus and all minus, 2 ways of 8.
    found = sign_flip_test(np.array([1.0, 2.0, 3.0]), seed=0)

    assert found.difference == 2
    assert found.p_value == 2 / 8
    assert (found.support, found.draws, found.exact) == (3, 8, True)


def test_users_without_a_value_or_a_weight_are_dropped() -> None:
    # (1 * 3 + 2 * 1) / 3 = 5/3. Sums of +-3 +-2 of size 5: 2 ways of 4.
    value, weight = np.array([3.0, np.nan, 1.0, 9.0]), np.array([1, 5, 2, 0])
    found = sign_flip_test(value, weight, seed=0)

    assert found.difference == pytest.approx(5 / 3)
    assert (found.p_value, found.support) == (0.5, 2)


def test_users_on_whom_both_are_alike_say_nothing() -> None:
    # They dilute the mean, not the p: 1 + 1 of size 2 in 2 ways of 4, however many zeros.
    found = sign_flip_test(np.array([1.0, 1.0, *[0.0] * 98]), seed=0)

    assert found.difference == 0.02
    assert (found.p_value, found.support, found.exact) == (0.5, 100, True)
    assert sign_flip_test(np.zeros(40), seed=0).p_value == 1


@pytest.mark.parametrize("value", [[], [np.nan]])
def test_without_users_nothing_is_known(value: list[float]) -> None:
    found = sign_flip_test(np.array(value), seed=0)

    assert np.isnan([found.difference, found.p_value]).all()
    assert (found.support, found.draws) == (0, 0)


def test_few_users_agree_with_scipy() -> None:
    random = np.random.default_rng(0)
    for size in range(2, 12):
        difference = random.normal(0.4, 1, size).round(2)
        oracle = stats.permutation_test(
            (difference,), np.mean, permutation_type="samples", n_resamples=np.inf
        )

        assert sign_flip_test(difference, seed=0).p_value == pytest.approx(oracle.pvalue)


def test_many_users_agree_with_the_t_test() -> None:
    # p = .05 or so: 20,000 draws have a standard error of .0015, and 800 users are near normal.
    difference = np.random.default_rng(4).normal(0.07, 1, 800)
    oracle = stats.ttest_1samp(difference, 0).pvalue

    found = sign_flip_test(difference, draws=20_000, seed=0)

    assert 0.01 < oracle < 0.3
    assert found.p_value == pytest.approx(oracle, abs=0.006)
    assert not found.exact


def test_p_is_never_0() -> None:
    assert sign_flip_test(np.ones(100), draws=99, seed=0).p_value == 1 / 100


def test_the_other_way_round_p_is_the_same() -> None:
    difference = np.random.default_rng(2).normal(0.2, 1, 60)

    there, back = sign_flip_test(difference, seed=0), sign_flip_test(-difference, seed=0)

    assert there.p_value == back.p_value
    assert there.difference == -back.difference


def test_draws_do_not_depend_on_how_they_are_cut_into_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The stream of coins is cut at whole bytes only where a block holds a multiple of 4 of them.
    few, many = np.arange(8.0) - 2, np.random.default_rng(3).normal(0.1, 1, 64)
    whole = [sign_flip_test(value, draws=500, seed=5) for value in (few, many)]
    monkeypatch.setattr(module, "_BLOCK_CELLS", 640)

    assert [sign_flip_test(value, draws=500, seed=5) for value in (few, many)] == whole


def _auc_gap(
    a_N: NDArray[np.float64], b_N: NDArray[np.float64], label_N: NDArray[np.bool_]
) -> Callable[[NDArray[np.bool_]], float]:
    def gap(swapped_N: NDArray[np.bool_]) -> float:
        first, second = np.where(swapped_N, b_N, a_N), np.where(swapped_N, a_N, b_N)
        return auc(first, label_N).value - auc(second, label_N).value

    return gap


def test_predictions_of_whole_users_change_hands() -> None:
    # Every way written out: the share of the 2^4 ways whose AUCs lie at least as far apart.
    random = np.random.default_rng(1)
    user_N = np.array([7, 7, 2, 2, 2, 5, 9, 9])
    label_N = np.array([1, 0, 1, 0, 0, 1, 0, 1], dtype=bool)
    a_N, b_N = label_N + random.normal(0, 0.6, 8), random.random(8)
    gap = _auc_gap(a_N, b_N, label_N)

    found = swap_test(gap, user_N, seed=0)

    ways = [
        np.isin(user_N, np.array([2, 5, 7, 9])[list(map(bool, way))])
        for way in product([0, 1], repeat=4)
    ]
    gaps = np.abs([gap(way) for way in ways])
    assert found.p_value == np.mean(gaps >= gaps[0] - 1e-12)
    assert found.difference == gap(ways[0])
    assert (found.support, found.draws, found.exact) == (4, 16, True)


def test_a_mean_is_tested_alike_by_swaps_and_by_signs() -> None:
    a_U, b_U = np.random.default_rng(6).random((2, 9))
    swapped = swap_test(
        lambda s: float(np.where(s, b_U - a_U, a_U - b_U).mean()), np.arange(9), seed=0
    )

    assert swapped.p_value == pytest.approx(sign_flip_test(a_U - b_U, seed=0).p_value)


def test_a_large_p_needs_no_thousand_draws() -> None:
    a_N, b_N = np.random.default_rng(0).random((2, 300))
    label_N = np.random.default_rng(1).random(300) < 0.3
    gap = _auc_gap(a_N, b_N, label_N)

    whole = swap_test(gap, np.arange(300) // 2, draws=1000, seed=0)
    short = swap_test(gap, np.arange(300) // 2, draws=1000, enough_hits=20, seed=0)

    assert short.draws < 200
    assert short.p_value == pytest.approx(20 / short.draws)
    assert short.p_value == pytest.approx(whole.p_value, abs=0.2)


def test_a_metric_without_a_value_cannot_be_tested() -> None:
    assert swap_test(lambda _: float("nan"), np.arange(5), seed=0) == pytest.approx(
        module.NOTHING_TO_TEST, nan_ok=True
    )


def _share_below(families: int, draws: int) -> float:
    """How often p < .05 where neither system is better; users differ, and have 1 to 4 rows."""
    random = np.random.default_rng(8)
    low = 0
    for family in range(families):
        user_N = np.repeat(np.arange(40), random.integers(1, 5, 40))
        label_N = random.random(len(user_N)) < 0.3
        taste_N = random.normal(0, 1, 40)[user_N]  # rows of a user resemble each other
        a_N, b_N = taste_N + random.normal(0, 1, (2, len(user_N)))
        found = swap_test(_auc_gap(a_N, b_N, label_N), user_N, draws=draws, seed=family)
        low += found.p_value < 0.05
    return low / families


def test_equal_systems_seldom_look_different() -> None:
    # Binomial(200, .05) has standard deviation 1.5 %.
    assert 0.01 <= _share_below(200, draws=99) <= 0.10


@pytest.mark.long
def test_equal_systems_look_different_in_5_of_100() -> None:
    # Binomial(1000, .05) has standard deviation .7 %.
    assert 0.03 <= _share_below(1_000, draws=399) <= 0.07


def test_equal_means_look_different_in_5_of_100() -> None:
    random = np.random.default_rng(9)
    low = [
        sign_flip_test(random.normal(0, 1, 30) ** 3, draws=399, seed=seed).p_value < 0.05
        for seed in range(1_000)
    ]

    assert 0.03 <= np.mean(low) <= 0.07
