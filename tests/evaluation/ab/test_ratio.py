from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from shelfwise.evaluation.ab.ratio import ratio_of_sums


def test_a_ratio_by_hand() -> None:
    # clicks 1, 0, 3 of 2, 2, 4 impressions: 4 / 8; terms (1 - 1, 0 - 1, 3 - 2) / (8 / 3)
    found = ratio_of_sums(np.array([1.0, 0, 3]), np.array([2.0, 2, 4]))

    assert found.value == 0.5
    assert found.influence_U == pytest.approx([0, -0.375, 0.375])
    # variance (2 * .375^2) / 2, over 3 units
    assert found.error == pytest.approx(sqrt(0.375**2 / 3))


def test_a_mean_has_the_error_of_a_mean() -> None:
    value = np.random.default_rng(0).normal(size=50)

    found = ratio_of_sums(value, np.ones(50))

    assert found.error == pytest.approx(value.std(ddof=1) / sqrt(50))


def test_the_delta_method_agrees_with_the_bootstrap() -> None:
    random = np.random.default_rng(1)
    shown = random.integers(1, 40, 400).astype(float)
    clicked = random.binomial(shown.astype(int), random.beta(2, 20, 400)).astype(float)
    found = ratio_of_sums(clicked, shown)

    drawn = random.integers(400, size=(4000, 400))
    again = clicked[drawn].sum(axis=1) / shown[drawn].sum(axis=1)

    assert found.error == pytest.approx(again.std(), rel=0.05)
    # Rows as units would be too sure: users differ in how they click.
    assert found.error > 1.2 * sqrt(found.value * (1 - found.value) / shown.sum())
