from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from shelfwise.evaluation.ab.cuped import cuped
from shelfwise.evaluation.ab.ratio import Ratio, ratio_of_sums


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_cuped_leaves_one_minus_the_squared_correlation(correlation: float) -> None:
    random = np.random.default_rng(2)
    before = random.normal(size=20_000)
    noise = random.normal(size=20_000)
    outcome = correlation * before + sqrt(1 - correlation**2) * noise
    half = 10_000
    a, b = (ratio_of_sums(part, np.ones(half)) for part in (outcome[:half], outcome[half:]))

    found = cuped(a, b, before[:half], before[half:])

    assert found.variance_left == pytest.approx(1 - correlation**2, abs=0.015)
    assert abs(found.b.value - found.a.value) < 4 * sqrt(2 / half * (1 - correlation**2))


def test_cuped_takes_out_an_imbalance_of_before_by_hand() -> None:
    # Outcome = 2 * before exactly: all of the gap of 2 * (3 - 1) is explained.
    before_a, before_b = np.array([0.0, 1, 2]), np.array([2.0, 3, 4])
    a, b = ratio_of_sums(2 * before_a, np.ones(3)), ratio_of_sums(2 * before_b, np.ones(3))

    found = cuped(a, b, before_a, before_b)

    assert found.b.value - found.a.value == pytest.approx(0)
    assert found.variance_left == pytest.approx(0)


def test_a_covariate_that_never_varies_changes_nothing() -> None:
    a, b = Ratio(1.0, np.array([1.0, -1])), Ratio(2.0, np.array([1.0, -1]))

    assert cuped(a, b, np.zeros(2), np.zeros(2)) == (a, b, 1.0)
