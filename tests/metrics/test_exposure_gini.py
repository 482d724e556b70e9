from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.metrics.exposure_gini import exposure_gini, exposure_gini_interval

LISTS = arrays(np.int64, (4, 3), elements=st.integers(-1, 5)).filter(lambda top: (top >= 0).any())


def test_by_hand() -> None:
    # Counts 0, 1, 3 of three items: (-2 * 0 + 0 * 1 + 2 * 3) / (3 * 4) = 1/2
    top = np.array([[2, 1], [2, -1], [2, -1]])

    assert exposure_gini(top, 3) == (pytest.approx(1 / 2), 3)
    # All alike is 0, all places to one of V items is 1 - 1/V.
    assert exposure_gini(np.array([[0, 1], [2, 3]]), 4).value == pytest.approx(0)
    assert exposure_gini(np.array([[0], [0]]), 4).value == pytest.approx(3 / 4)
    assert np.isnan(exposure_gini(np.array([[-1]]), 4).value)


@given(LISTS, st.permutations(range(4)))
def test_is_half_the_mean_difference_over_the_mean(top: np.ndarray, order: list[int]) -> None:
    count = np.bincount(top[top >= 0], minlength=6)
    expected = np.abs(count[:, None] - count[None]).mean() / (2 * count.mean())

    assert exposure_gini(top, 6).value == pytest.approx(expected)
    assert exposure_gini(top[order], 6).value == pytest.approx(expected)


def test_the_interval_is_about_as_wide_as_other_owners_make_it() -> None:
    random = np.random.default_rng(0)
    chance = 1 / np.arange(1, 41)
    chance /= chance.sum()

    def shop() -> np.ndarray:
        return random.choice(40, size=(80, 5), p=chance)

    values = [exposure_gini(shop(), 40).value for _ in range(400)]
    found = [exposure_gini_interval(shop(), np.arange(80), 40) for _ in range(100)]

    wide = np.mean([one.high - one.low for one in found])
    assert wide == pytest.approx(2 * 1.96 * np.std(values), rel=0.2)
    held = np.mean([one.low <= np.mean(values) <= one.high for one in found])
    assert 0.88 < held <= 1


def test_one_owner_has_no_range() -> None:
    found = exposure_gini_interval(np.array([[0, 1]]), np.array([3]), 3)

    assert found.value == pytest.approx(1 / 3)
    assert np.isnan([found.low, found.high]).all()
