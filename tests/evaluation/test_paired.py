from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from shelfwise.evaluation.paired import Draws, difference_of, seed_values, value_of
from shelfwise.evaluation.paired_metrics import MeanMetric, Place, RowMetric
from shelfwise.metrics.auc import SortedAuc, auc
from shelfwise.metrics.permutation import swap_test
from shelfwise.metrics.swapped_auc import SwappedAuc

DRAWS = Draws(interval=200, comparisons=1, seed=0)
MEAN = Place("match", "main", "ndcg@10", "users")
AREA = Place("click", "main", "auc", "users")


def means(*seeds: list[float], weight: list[float] | None = None) -> MeanMetric:
    value_SU = np.array(seeds)
    return MeanMetric(MEAN, value_SU, np.array(weight or np.ones(value_SU.shape[1])))


def area(p_SN: NDArray[np.float64], label_N: NDArray[np.bool_]) -> RowMetric:
    unit_N = np.arange(len(label_N)) // 2
    return RowMetric(AREA, p_SN, label_N, unit_N, SortedAuc.of, swapped=SwappedAuc.of)


def test_seeds_are_averaged_for_each_user_and_then_paired() -> None:
    # a's users over two seeds: (.2 + .4)/2 = .3, (.6 + .2)/2 = .4, (0 + 1)/2 = .5; mean .4
    # b's users, one seed: .1, .4, 0; mean 1/6. Differences .2, 0, .5; mean 7/30.
    a, b = means([0.2, 0.6, 0.0], [0.4, 0.2, 1.0]), means([0.1, 0.4, 0.0])

    gap, test = difference_of(a, b, DRAWS)

    assert value_of(a, DRAWS).value == pytest.approx(0.4)
    assert seed_values(a) == pytest.approx([0.8 / 3, 1.6 / 3])
    assert gap.value == pytest.approx(7 / 30)
    assert test.difference == pytest.approx(7 / 30)
    assert gap.support == test.support == 3
    # The middle user says nothing: +.2 +.5 and -.2 -.5 are 2 ways of 4.
    assert (test.p_value, test.exact) == (0.5, True)


def test_weights_and_users_without_a_value() -> None:
    # (1 * .5 + 3 * .1) / 4 = .2; the last user has no value
    a = means([0.5, 0.1, np.nan], weight=[1, 3, 2])
    b = means([0.0, 0.0, np.nan], weight=[1, 3, 2])

    gap, test = difference_of(a, b, DRAWS)

    assert gap.value == pytest.approx(0.2)
    assert (gap.support, test.support) == (2, 2)
    assert seed_values(a) == pytest.approx([0.2])


@pytest.fixture
def rows() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Three seeds of a system that knows something, two of one that guesses."""
    random = np.random.default_rng(0)
    label_N = random.random(80) < 0.4
    knows_SN = 1 / (1 + np.exp(-(label_N * 1.5 + random.normal(0, 1, (3, 80)))))
    return knows_SN, random.random((2, 80)), label_N


def test_a_figure_of_rows_is_the_mean_over_seeds(
    rows: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    knows_SN, guesses_SN, label_N = rows
    mine = [auc(p_N, label_N).value for p_N in knows_SN]
    theirs = [auc(p_N, label_N).value for p_N in guesses_SN]
    a, b = area(knows_SN, label_N), area(guesses_SN, label_N)

    gap, test = difference_of(a, b, DRAWS)

    assert seed_values(a) == pytest.approx(mine)
    assert value_of(a, DRAWS).value == pytest.approx(np.mean(mine))
    # Three seeds against two: six pairs, so that every seed counts the same.
    assert gap.value == pytest.approx(np.mean(mine) - np.mean(theirs))
    assert test.difference == pytest.approx(gap.value)
    assert gap.low < gap.value < gap.high
    assert gap.support == test.support == 40
    assert test.p_value < 0.05


def test_swapping_rows_is_exchanging_predictions(
    rows: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    knows_SN, guesses_SN, label_N = rows
    one, other = knows_SN[0], guesses_SN[0]

    def gap(swapped_N: NDArray[np.bool_]) -> float:
        first, second = np.where(swapped_N, other, one), np.where(swapped_N, one, other)
        return auc(first, label_N).value - auc(second, label_N).value

    unit_N = np.arange(80) // 2
    plain = swap_test(gap, unit_N, draws=10_000, seed=0)
    _, found = difference_of(area(knows_SN[:1], label_N), area(guesses_SN[:1], label_N), DRAWS)

    assert found.difference == pytest.approx(plain.difference)
    assert found[2:] == plain[2:]
    # The same ways of swapping, but for users whose swap changes nothing.
    assert found.p_value == pytest.approx(plain.p_value, abs=0.01)


def test_the_quick_way_to_a_swap_is_the_long_one(
    rows: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    a, b = (area(p_SN, rows[2]) for p_SN in rows[:2])

    quick, long = (
        difference_of(replace(a, swapped=way), replace(b, swapped=way), DRAWS)[1]
        for way in (SwappedAuc.of, None)
    )

    assert quick.difference == pytest.approx(long.difference)
    assert quick.support == long.support
    # Ten thousand ways against one thousand.
    assert quick.p_value == pytest.approx(long.p_value, abs=0.01)


def test_the_other_way_round_only_the_sign_changes(
    rows: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    a, b = (area(p_SN, rows[2]) for p_SN in rows[:2])

    there, back = difference_of(a, b, DRAWS), difference_of(b, a, DRAWS)

    assert there[0][:3] == pytest.approx([-back[0].value, -back[0].high, -back[0].low])
    assert there[1].p_value == back[1].p_value


def test_a_system_does_not_differ_from_itself(
    rows: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    for same in (area(rows[0], rows[2]), means([0.1, 0.7, 0.4])):
        gap, test = difference_of(same, same, DRAWS)

        assert gap[:3] == (0, 0, 0)
        assert test.p_value == 1


def test_the_more_comparisons_the_more_draws() -> None:
    # The smallest p is 1 / (draws + 1): after Holm over 100 comparisons that must stay below .05.
    draws = Draws(interval=200, comparisons=100, seed=0)

    assert draws.flips(1_000) == 4_000
    assert 100 / (draws.flips(1_000) + 1) < 0.05
    assert DRAWS.flips(1_000) == 1_000


def test_a_figure_without_an_order_is_compared_by_its_distance() -> None:
    # Ratios 2 and 1/2 are equally far from 1: |ln| is .693 for both, so nothing lies between them.
    label_N = np.array([True, False, True, False])

    def promised(factor: float) -> RowMetric:
        p_SN = np.full((1, 4), factor / 2)
        return RowMetric(
            AREA,
            p_SN,
            label_N,
            np.array([0, 0, 1, 1]),
            lambda p_N, y_N: lambda w_N: float(w_N @ p_N / (w_N @ y_N)),
            lambda ratio: abs(float(np.log(ratio))),
        )

    gap, _ = difference_of(promised(2.0), promised(0.5), DRAWS)

    assert value_of(promised(2.0), DRAWS).value == pytest.approx(2)
    assert gap.value == pytest.approx(0)
