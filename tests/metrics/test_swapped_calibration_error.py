from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.calibration_error import calibration_error
from shelfwise.metrics.swapped_calibration_error import SwappedCalibrationError


def test_by_hand() -> None:
    # One bin: a promises .75 of 1/2, so .25 off; b promises .5 of 1/2 and is right.
    a, b, label = np.array([0.9, 0.6]), np.array([0.3, 0.7]), np.array([True, False])
    gap = SwappedCalibrationError.of(a, b, label, bins=1)

    assert gap(np.zeros(2, bool)) == pytest.approx(0.25)
    assert gap(np.ones(2, bool)) == pytest.approx(-0.25)
    # First row exchanged: a' .3 and .6, .05 off; b' .9 and .7, .3 off.
    assert gap(np.array([True, False])) == pytest.approx(0.05 - 0.3)


@pytest.mark.parametrize("bins", [1, 7, 20])
def test_it_is_the_difference_of_two_errors_whatever_is_swapped(bins: int) -> None:
    random = np.random.default_rng(0)
    for decimals in (1, 9):  # a few predictions shared by many rows, then hardly any
        label = random.random(217) < 0.3
        a, b = random.random((2, 217)).round(decimals)
        gap = SwappedCalibrationError.of(a, b, label, bins)
        for share in (0, 0.2, 0.5, 1):
            swapped = random.random(217) < share
            first, second = np.where(swapped, b, a), np.where(swapped, a, b)

            plain = [calibration_error(p, label, bins).value for p in (first, second)]
            assert gap(swapped) == pytest.approx(plain[0] - plain[1], abs=1e-12)


def test_without_rows_there_is_none() -> None:
    none = np.empty(0)

    assert np.isnan(
        SwappedCalibrationError.of(none, none, np.empty(0, bool))(np.empty(0, dtype=bool))
    )
