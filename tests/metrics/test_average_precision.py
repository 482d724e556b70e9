from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from shelfwise.metrics.average_precision import SortedAveragePrecision, average_precision

# Few distinct scores, so that ties are common.
SCORES = arrays(np.float64, 12, elements=st.integers(0, 4).map(float))
LABELS = arrays(np.bool_, 12).filter(lambda label: label.any())
WEIGHTS = arrays(np.float64, 12, elements=st.integers(0, 3).map(float))


def test_average_precision_by_hand() -> None:
    # Down to .9: 1 of 1 right, recall 1/3. Down to .5, a tie of two: 2 of 3, recall 2/3.
    # Down to .1: 3 of 4.  1/3 * (1 + 2/3 + 3/4) = 29/36
    score = np.array([0.9, 0.5, 0.5, 0.1])
    label = np.array([True, True, False, True])

    assert average_precision(score, label) == (pytest.approx(29 / 36), 4)


def test_weighted_by_hand() -> None:
    # Weights 1, 2, 3, 0 of the rows above: down to .5 right 3 of 6; 1/3 * 1 + 2/3 * 1/2 = 2/3
    score = np.array([0.9, 0.5, 0.5, 0.1])
    label = np.array([True, True, False, True])

    found = average_precision(score, label, np.array([1.0, 2.0, 3.0, 0.0]))
    assert found == (pytest.approx(2 / 3), 3)


def test_a_constant_score_has_the_share_of_positive_rows() -> None:
    label = np.array([True, False, False, False])

    assert average_precision(np.zeros(4), label).value == pytest.approx(1 / 4)


@pytest.mark.parametrize("label", [[False, False], []])
def test_without_a_positive_row_there_is_none(label: list[bool]) -> None:
    found = average_precision(np.zeros(len(label)), np.array(label, dtype=bool))

    assert np.isnan(found.value)
    assert found.support == 0


@given(SCORES, LABELS, WEIGHTS)
def test_agrees_with_scikit_learn(score: np.ndarray, label: np.ndarray, weight: np.ndarray) -> None:
    weight[np.argmax(label)] = 1  # a positive row that counts
    expected = average_precision_score(label, score, sample_weight=weight)

    assert average_precision(score, label, weight).value == pytest.approx(expected)


@given(SCORES, LABELS, WEIGHTS, st.permutations(range(12)))
def test_only_the_order_of_scores_counts(
    score: np.ndarray, label: np.ndarray, weight: np.ndarray, order: list[int]
) -> None:
    value = average_precision(score, label).value

    assert average_precision(np.exp(score) - 3, label).value == pytest.approx(value)
    assert average_precision(score[order], label[order]).value == pytest.approx(value)
    assert 0 < value <= 1 + 1e-12
    # A weight is a number of copies.
    times = weight.astype(int)
    again = average_precision(score.repeat(times), label.repeat(times)).value
    found = SortedAveragePrecision.of(score, label)(weight)
    assert found == pytest.approx(again, nan_ok=True)


def test_nan_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 scores are nan"):
        average_precision(np.array([0.1, np.nan]), np.array([True, False]))
