"""Robust scales, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.numbers import Scale, fit_scale, octile_skewness, standardise

NAN = float("nan")


def test_even_numbers_keep_their_form() -> None:
    # 0 .. 8: median 4, distances 4 3 2 1 0 1 2 3 4, their median 2. Symmetric: no logarithm.
    form, center, spread = fit_scale(np.arange(9.0))

    assert form == "plain"
    assert (center, spread) == (4.0, pytest.approx(2 * 1.4826))
    # (7 - 4) / 2.9652; 100 lies further than five spreads away.
    told = standardise(np.array([7.0, 100, -100, NAN]), Scale(form, center, spread))
    assert told[:3] == pytest.approx([3 / 2.9652, 5, -5])
    assert np.isnan(told[3])


def test_numbers_that_lean_are_measured_by_their_logarithm() -> None:
    # log(1 + value) = 0, 1, 2, 3, 4: median 2, distances 2 1 0 1 2, their median 1.
    values = np.expm1(np.arange(5.0))

    scale = fit_scale(np.append(values, NAN))

    assert scale.form == "log"
    assert scale[1:] == pytest.approx((2, 1.4826))
    # A value below 0 counts as 0: (0 - 2) / 1.4826.
    assert standardise(np.array([-7.0, 0.0]), scale) == pytest.approx([-2 / 1.4826] * 2)


def test_octile_skewness_by_hand() -> None:
    # Octiles of 0, 1, ..., 8 with 16 instead of 7 and 8: 1, 4 and 16; (1 + 16 - 8) / 15.
    values = np.array([0.0, 1, 2, 3, 4, 5, 6, 16, 16])

    assert octile_skewness(values) == pytest.approx(9 / 15)
    assert octile_skewness(np.full(3, 2.0)) == 0


def test_a_negative_value_forbids_the_logarithm() -> None:
    assert fit_scale(np.array([-1.0, 0, 1, 50, 1000])).form == "plain"


def test_where_most_are_equal_the_mean_deviation_stands_in() -> None:
    # Distances from the median -1 are 0 0 0 4: median 0, mean 1.
    assert fit_scale(np.array([-1.0, -1, -1, 3])) == ("plain", -1.0, pytest.approx(1.2533))


@pytest.mark.parametrize("values", [[], [NAN], [9.0, 9.0]])
def test_without_spread_nothing_is_stretched(values: list[float]) -> None:
    assert fit_scale(np.array(values)).spread == 1.0


@given(st.lists(st.floats(-1e12, 1e12) | st.just(NAN), max_size=20))
def test_standardised_numbers_lie_within_five(values: list[float]) -> None:
    array = np.array(values)

    told = standardise(array, fit_scale(array))

    assert (np.isnan(told) == np.isnan(array)).all()
    assert (np.abs(told[~np.isnan(told)]) <= 5).all()
