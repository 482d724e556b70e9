from __future__ import annotations

import numpy as np
import pytest

from shelfwise.evaluation.power_law import PowerLaw, doubling, fit_power_law

SIZES = np.array([1_000.0, 2_000.0, 4_000.0, 8_000.0])


def test_a_curve_without_noise_is_found_again() -> None:
    true = PowerLaw(limit=0.8, scale=-3.0, exponent=0.5)
    values = np.array([true.at(size) for size in SIZES])

    law = fit_power_law(SIZES, values, np.full(4, 0.01), rising=True)

    assert law is not None
    assert law.at(16_000) == pytest.approx(true.at(16_000), abs=2e-4)
    # 3 / sqrt(8000) - 3 / sqrt(16000) = .033541 - .023717
    gain = doubling(SIZES, values, np.full(4, 1e-6), rising=True, seed=0)
    assert gain.gain == pytest.approx(0.009824, abs=2e-4)
    assert gain.low == pytest.approx(gain.gain, abs=1e-4)


def test_a_flat_curve_promises_nothing() -> None:
    law = fit_power_law(SIZES, np.full(4, 0.7), np.full(4, 0.01), rising=True)

    assert law is not None
    assert law.at(16_000) == pytest.approx(0.7)
    gain = doubling(SIZES, np.full(4, 0.7), np.full(4, 0.02), rising=True, seed=0)
    assert gain.gain == pytest.approx(0)
    assert gain.low == pytest.approx(
        0
    )  # half of all noise looks like a fall, which is not believed


def test_more_data_never_hurts() -> None:
    falling = np.array([0.7, 0.68, 0.66, 0.64])

    up = fit_power_law(SIZES, falling, np.full(4, 0.01), rising=True)
    down = fit_power_law(SIZES, falling, np.full(4, 0.01), rising=False)

    assert up is not None
    assert down is not None
    assert up.at(16_000) == pytest.approx(falling.mean())
    assert down.at(16_000) < 0.64


def test_a_sure_point_counts_more() -> None:
    values = np.array([0.5, 0.6, 0.65, 0.9])
    unsure = np.array([0.001, 0.001, 0.001, 1.0])

    law = fit_power_law(SIZES, values, unsure, rising=True)

    assert law is not None
    assert law.at(8_000) < 0.72  # .5, .6, .65: the next is no .9


def test_two_sizes_are_no_curve() -> None:
    sizes = np.array([1_000.0, 1_000.0, 2_000.0])

    assert fit_power_law(sizes, np.array([0.5, 0.6, 0.7]), np.full(3, 0.1), rising=True) is None
    gain = doubling(sizes, np.array([0.5, 0.6, 0.7]), np.full(3, 0.1), rising=True, seed=0)
    assert np.isnan(gain).all()


@pytest.mark.parametrize("error", [np.zeros(4), np.array([0.01, 0.01, np.nan, 0.01])])
def test_points_that_are_not_known_to_be_sure_promise_nothing(error: np.ndarray) -> None:
    gain = doubling(SIZES, np.array([0.5, 0.6, 0.65, 0.68]), error, rising=True, seed=0)

    assert gain.gain > 0
    assert np.isnan([gain.low, gain.high]).all()


def test_a_size_without_a_figure_is_no_size() -> None:
    values, error = np.array([0.5, 0.6, 0.65, np.nan]), np.full(4, 0.01)

    found = doubling(SIZES, values, error, rising=True, seed=0)

    assert found == doubling(SIZES[:3], values[:3], error[:3], rising=True, seed=0)


def test_the_interval_holds_the_true_gain() -> None:
    true = PowerLaw(0.8, -3.0, 0.5)
    exact = np.array([true.at(size) for size in SIZES])
    rng = np.random.default_rng(0)
    held = 0
    for draw in range(60):
        seen = exact + 0.004 * rng.standard_normal(4)
        found = doubling(SIZES, seen, np.full(4, 0.004), rising=True, seed=draw, draws=100)
        held += found.low <= true.at(16_000) - true.at(8_000) <= found.high
    assert held >= 50  # 95 % would be 57; the parametric draws centre on the noisy points
