from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.popularity_lift import popularity_lift


def test_by_hand() -> None:
    # (6 + 2) / (3 + 1); the owners without a past or a list are left out.
    shown, past = np.array([6.0, 2.0, 9.0, np.nan]), np.array([3.0, 1.0, np.nan, 5.0])

    assert popularity_lift(shown, past) == (pytest.approx(2), 2)
    weighted = popularity_lift(shown, past, np.array([0, 1, 1, 1]))
    assert weighted == (pytest.approx(2), 1)
    # A ratio of means, not a mean of ratios: (1 + 9) / (2 + 3)
    assert popularity_lift(np.array([1.0, 9.0]), np.array([2.0, 3.0])).value == pytest.approx(2)


def test_showing_everybody_their_own_past_is_one() -> None:
    past = np.random.default_rng(0).random(20)

    assert popularity_lift(past, past).value == pytest.approx(1)
    assert popularity_lift(past[::-1], past).value == pytest.approx(1)


def test_nobody_with_a_past() -> None:
    assert popularity_lift(np.ones(2), np.full(2, np.nan)).support == 0
