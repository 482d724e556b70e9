from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss

from shelfwise.metrics.brier_score import brier_score

CHANCES = arrays(np.float64, 9, elements=st.floats(0, 1))
LABELS = arrays(np.bool_, 9)
WEIGHTS = arrays(np.float64, 9, elements=st.floats(0.5, 3))


def test_brier_by_hand() -> None:
    # (.1^2 + .4^2) / 2; with weights 3 and 1: (.03 + .16) / 4
    p, label = np.array([0.9, 0.4]), np.array([True, False])

    assert brier_score(p, label) == (pytest.approx(0.085), 2)
    assert brier_score(p, label, np.array([3, 1])).value == pytest.approx(0.19 / 4)


@given(CHANCES, LABELS, WEIGHTS)
def test_agrees_with_scikit_learn(p: np.ndarray, label: np.ndarray, weight: np.ndarray) -> None:
    expected = brier_score_loss(label, p, sample_weight=weight, labels=[False, True])

    assert brier_score(p, label, weight).value == pytest.approx(expected)


@given(CHANCES, LABELS, st.permutations(range(9)))
def test_the_order_of_rows_does_not_count(
    p: np.ndarray, label: np.ndarray, order: list[int]
) -> None:
    assert brier_score(p[order], label[order]).value == pytest.approx(brier_score(p, label).value)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\], got 1\.5"):
        brier_score(np.array([1.5]), np.array([True]))
    assert np.isnan(brier_score(np.empty(0), np.empty(0, bool)).value)
