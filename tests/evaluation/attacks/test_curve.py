from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest

from shelfwise.evaluation.attacks.curve import Attack, Drawing, curve_of

NOISE = Attack("noise", "letters go wrong", "share of words")
DRAWING = Drawing(draws=200, seed=0)


def test_a_curve_by_hand() -> None:
    clean = np.array([1.0, 0.6, nan])
    half, whole = np.array([0.8, 0.4, nan]), np.array([0.4, 0.0, nan])

    curve = curve_of(NOISE, "ndcg@10", clean, [(0.2, half), (0.4, whole)], DRAWING)

    assert curve.units == 2
    assert curve.clean == pytest.approx(0.8)
    assert [point.value for point in curve.points] == pytest.approx([0.6, 0.2])
    assert [point.lost for point in curve.points] == pytest.approx([0.2, 0.6])
    # Both units lose .2, whoever is drawn.
    assert curve.points[0].lost_low == pytest.approx(0.2)
    # Trapezoids: .2 * (.8 + .6) / 2 + .2 * (.6 + .2) / 2 = .22 of .8 * .4 = .32.
    assert curve.robustness == pytest.approx(0.22 / 0.32)
    # Of each unit alone: (.2 * .9 + .2 * .6) of .4, (.2 * .5 + .2 * .2) of .6 * .4.
    assert curve.robustness_low == pytest.approx(0.14 / 0.24)
    assert curve.robustness_high == pytest.approx(0.30 / 0.40)


def test_what_loses_nothing_keeps_all() -> None:
    value = np.array([0.5, 0.25])
    assert curve_of(NOISE, "ndcg@10", value, [(0.1, value)], DRAWING).robustness == pytest.approx(1)


def test_where_there_is_nothing_to_lose_nothing_is_said() -> None:
    none = np.zeros(3)
    assert isnan(curve_of(NOISE, "ndcg@10", none, [(0.1, none)], DRAWING).robustness)


def test_a_share_that_is_the_same_of_everybody_has_no_spread() -> None:
    plain = np.array([0.4, 0.1, nan, 0.3])
    assert DRAWING.share(0.25 * plain, plain) == pytest.approx((0.25, 0.25, 0.25, 3))
    assert isnan(DRAWING.share(plain, -plain).value)
