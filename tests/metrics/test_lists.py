from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from shelfwise.metrics.lists import (
    filled_places,
    interval_of_influences,
    mean_of_lists,
    require_lists,
)

TOP = np.array([[2, 0], [1, -1], [-1, -1]])


def test_means_over_filled_places_by_hand() -> None:
    found = mean_of_lists(np.array([1.0, 5.0, 2.0]), TOP)

    assert found == pytest.approx([1.5, 5, np.nan], nan_ok=True)


def test_filled_places_by_hand() -> None:
    item, owner, owners = filled_places(TOP, np.array([40, 7, 9]))

    assert sorted(zip(owner.tolist(), item.tolist(), strict=True)) == [(0, 1), (2, 0), (2, 2)]
    assert owners == 3


def test_an_interval_from_influences_by_hand() -> None:
    # Influences .01 and .03 about their mean .02: sqrt(2 * .0001 * 2/1) = .02
    found = interval_of_influences(0.5, np.array([0.01, 0.03]), 9)

    assert (found.low, found.high) == pytest.approx(
        (0.5 - 1.96 * 0.02, 0.5 + 1.96 * 0.02), abs=1e-4
    )
    assert found.support == 9
    wide = interval_of_influences(0.9, np.array([0.0, sqrt(0.5)]), 9)
    assert (wide.low, wide.high) == (0, 1)


def test_lists_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"coverage needs lists \[T, K\], got 1 dimensions"):
        require_lists("coverage", np.array([1]), 3)
    with pytest.raises(ValueError, match=r"item -2\.\.1 outside the 3"):
        require_lists("coverage", np.array([[1, -2]]), 3)
