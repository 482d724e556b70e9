from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.metrics.calibration_error import SortedCalibrationError, calibration_error


def test_calibration_error_by_hand() -> None:
    # bins (.1, .3): predicted .2, observed .5;  (.6, .8): predicted .7, observed 1
    #   (2 * .3 + 2 * .3) / 4 = .3
    p = np.array([0.8, 0.1, 0.6, 0.3])
    label = np.array([True, False, True, True])

    assert calibration_error(p, label, bins=2) == (pytest.approx(0.3), 4)
    # Weights 1, 1, 0, 1: the middles of .1, .3, .8 stand at 1/6, 3/6, 5/6, so .3 and .8 share
    # bin 1: |.1 - 0| / 3 + 2/3 * |.55 - 1| = 1/3
    assert calibration_error(p, label, 2, np.array([1, 1, 0, 1])) == (pytest.approx(1 / 3), 3)


def test_one_constant_prediction_is_judged_as_a_whole() -> None:
    # 20 bins, but equal predictions cannot be told apart: |.3 - 1/2|
    label = np.array([True, False] * 50)

    assert calibration_error(np.full(100, 0.3), label).value == pytest.approx(0.2)


def test_chance_alone_gives_what_the_docstring_says() -> None:
    random = np.random.default_rng(0)
    p = random.uniform(0.0999, 0.1001, size=40_000)
    errors = [calibration_error(p, random.random(40_000) < p).value for _ in range(20)]

    # Mean of 20 errors of 20 bins each: the estimate is good to some 4 %.
    assert np.mean(errors) == pytest.approx(sqrt(2 / pi * 0.09 * 20 / 40_000), rel=0.15)


@given(arrays(np.float64, 15, elements=st.floats(0, 1)), arrays(np.bool_, 15), st.integers(1, 20))
def test_bounds(p: np.ndarray, label: np.ndarray, bins: int) -> None:
    error = calibration_error(p, label, bins).value

    # Splitting bins can only separate gaps that cancelled out.
    assert abs(p.mean() - label.mean()) - 1e-12 <= error <= 1


def test_no_row_is_nan() -> None:
    found = calibration_error(np.empty(0), np.empty(0, dtype=bool))

    assert np.isnan(found.value)
    assert found.support == 0


@given(
    arrays(np.float64, 12, elements=st.sampled_from([0.0, 0.1, 0.5, 0.9])),
    arrays(np.bool_, 12),
    arrays(np.float64, 12, elements=st.integers(0, 3).map(float)),
    st.integers(1, 6),
)
def test_sorted_once_is_the_same(
    p: np.ndarray, label: np.ndarray, weight: np.ndarray, bins: int
) -> None:
    expected = calibration_error(p, label, bins, weight).value

    found = SortedCalibrationError.of(p, label, bins)(weight)
    assert found == pytest.approx(expected, nan_ok=True)
