from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss

from shelfwise.metrics.normalised_entropy import entropy_of, normalised_entropy

CHANCES = arrays(np.float64, 9, elements=st.floats(0.01, 0.99))
LABELS = arrays(np.bool_, 9).filter(lambda label: 0 < label.sum() < 9)
WEIGHTS = arrays(np.float64, 9, elements=st.floats(0.5, 3))


def test_normalised_entropy_by_hand() -> None:
    # One of two clicked, so the rate surprises by log 2; losses log(1/.9) and log(1/.8).
    found = normalised_entropy(np.array([0.9, 0.2]), np.array([True, False]))

    assert found == (pytest.approx(-(log(0.9) + log(0.8)) / 2 / log(2)), 2)


@given(LABELS, WEIGHTS)
def test_the_rate_itself_scores_one(label: np.ndarray, weight: np.ndarray) -> None:
    rate = np.average(label, weights=weight)

    found = normalised_entropy(np.full(9, rate), label, weight)
    assert found.value == pytest.approx(1)


@given(CHANCES, LABELS, WEIGHTS)
def test_agrees_with_scikit_learn(p: np.ndarray, label: np.ndarray, weight: np.ndarray) -> None:
    rate = np.full(9, np.average(label, weights=weight))
    expected = log_loss(label, p, sample_weight=weight) / log_loss(
        label, rate, sample_weight=weight
    )

    assert normalised_entropy(p, label, weight).value == pytest.approx(expected)


@pytest.mark.parametrize("label", [[True, True], [False], []])
def test_labels_that_are_all_alike_cannot_surprise(label: list[bool]) -> None:
    found = normalised_entropy(np.full(len(label), 0.5), np.array(label, bool))

    assert np.isnan(found.value)
    assert found.support == 0


def test_entropy_of_rates() -> None:
    expected = [0, log(2), 0.25 * log(4) + 0.75 * log(4 / 3), 0]

    assert entropy_of(np.array([0, 0.5, 0.25, 1])) == pytest.approx(expected)
