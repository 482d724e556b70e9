from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest

from shelfwise.data.position_bias import PositionCurve
from shelfwise.evaluation.off_policy.reordered import order_by_score, reordered_clicks

CURVE = PositionCurve(
    "search", [1, 2, 3], *([[1.0, 0.5, 0.25]] * 4), *([[9, 9, 9]] * 2), [9.0] * 3, 1
)


def test_places_by_hand() -> None:
    # Request 1 has places 1, 2, 4, request 2 places 1, 2; the tie keeps its order.
    score = np.array([0.1, 0.9, 0.5, 0.3, 0.3])
    new = order_by_score(score, np.array([1, 1, 1, 2, 2]), np.array([1, 2, 4, 1, 2]))

    assert new.tolist() == [4, 1, 2, 1, 2]


def test_clicks_move_with_examination_by_hand() -> None:
    # Clicked at 2, moved to 1: 1 / .5 = 2; clicked at 1, moved to 3: .25; over four rows
    found = reordered_clicks(
        np.array([0.0, 1, 1, 0]),
        np.array([1, 2, 1, 2]),
        np.array([2, 1, 3, 1]),
        CURVE,
        np.arange(4),
    )

    assert found.value.value == pytest.approx(2.25 / 4)
    assert found.logged.value == pytest.approx(2 / 4)
    assert found.gain.value == pytest.approx(0.25 / 4)
    # 2.25^2 / (4 + .0625)
    assert found.effective == pytest.approx(2.25**2 / 4.0625)


def test_the_logged_order_earns_what_it_earned() -> None:
    place = np.tile([1, 2, 3], 20)
    clicked = (np.arange(60) % 7 == 0).astype(float)

    found = reordered_clicks(clicked, place, place, CURVE, np.arange(60) // 3)

    assert found.value == found.logged
    assert found.gain.value == 0


def test_the_true_gain_of_a_better_order_is_found() -> None:
    """Lists of two, the better item below: .4 and .1 relevant, clicks drawn with the curve."""
    random = np.random.default_rng(0)
    place = np.tile([1, 2], 4_000)
    relevance = np.tile([0.1, 0.4], 4_000)
    clicked = (random.random(8_000) < relevance * np.array([1, 0.5])[place - 1]).astype(float)
    new = order_by_score(relevance, np.repeat(np.arange(4_000), 2), place)

    found = reordered_clicks(clicked, place, new, CURVE, np.repeat(np.arange(4_000), 2))

    # .4 + .5 * .1 over two rows, against .1 + .5 * .4
    assert found.value.low < 0.225 < found.value.high
    assert found.gain.low < 0.075 < found.gain.high


def test_a_place_off_the_curve_makes_no_number() -> None:
    refused = PositionCurve("ads", [], [], [], [], [], [], [], [], nan, "No curve.")

    found = reordered_clicks(np.ones(2), np.array([1, 2]), np.array([2, 1]), refused, np.arange(2))

    assert isnan(found.value.value)
    assert found.value.support == 0
