from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.coverage import coverage, coverage_interval


def test_by_hand() -> None:
    # Items 0, 2 and 3 of five are shown; -1 is an empty place.
    top = np.array([[0, 2], [2, -1], [3, 0]])

    assert coverage(top, 5) == (3 / 5, 3)
    assert coverage(top[::-1], 5) == coverage(top, 5)
    assert np.isnan(coverage(top[:0], 5).value)


def test_the_interval_by_hand() -> None:
    # Owner 7 alone shows item 0, owner 8 alone items 3 and 4, owner 9 nothing that is its own.
    top = np.array([[0, 2], [3, 4], [2, -1], [0, -1]])
    owner = np.array([7, 8, 9, 7])

    found = coverage_interval(top, owner, 5)

    # Added 1/5, 2/5, 0: mean 1/5, spread sqrt(2/25), times sqrt(3/2) for three owners.
    reach = 1.959964 * np.sqrt(2 / 25 * 3 / 2)
    assert found.value == 4 / 5
    assert found.low == pytest.approx(4 / 5 - reach)
    assert found.high == 1
    assert found.support == 4


def test_the_interval_is_about_as_wide_as_other_owners_make_it() -> None:
    random = np.random.default_rng(0)
    chance = 1 / np.arange(1, 401)
    chance /= chance.sum()

    def shop() -> np.ndarray:
        return random.choice(400, size=(60, 5), p=chance)

    values = [coverage(shop(), 400).value for _ in range(400)]
    found = [coverage_interval(shop(), np.arange(60), 400) for _ in range(100)]

    held = np.mean([one.low <= np.mean(values) <= one.high for one in found])
    assert held > 0.88  # the jackknife is a little wide here
    wide = np.mean([one.high - one.low for one in found])
    assert wide == pytest.approx(2 * 1.96 * np.std(values), rel=0.4)


def test_an_item_outside_the_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match=r"item 0\.\.5 outside the 5 of the catalogue"):
        coverage(np.array([[0, 5]]), 5)
