from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from shelfwise.metrics.auc import SortedAuc, auc

# Few distinct scores, so that ties are common.
SCORES = arrays(np.float64, 12, elements=st.integers(0, 4).map(float))
LABELS = arrays(np.bool_, 12).filter(lambda label: 0 < label.sum() < 12)
WEIGHTS = arrays(np.float64, 12, elements=st.integers(1, 3).map(float))


def test_auc_by_hand() -> None:
    # positives .9, .5; negatives .5, .1
    #   .9 beats .5 and .1: 2;  .5 ties .5 and beats .1: 1.5  -> 3.5 / 4 pairs
    score = np.array([0.9, 0.5, 0.5, 0.1])
    label = np.array([True, True, False, False])

    assert auc(score, label) == (pytest.approx(3.5 / 4), 4)


def test_weighted_auc_by_hand() -> None:
    # As above with weights 1, 2 (positives) and 3, 0 (negatives):
    #   pairs 3 * 3 = 9;  .9 beats .5: 1 * 3;  .5 ties .5: 2 * 3 / 2  -> 6 / 9, three rows count
    score = np.array([0.9, 0.5, 0.5, 0.1])
    label = np.array([True, True, False, False])

    assert auc(score, label, np.array([1.0, 2.0, 3.0, 0.0])) == (pytest.approx(6 / 9), 3)


@pytest.mark.parametrize("label", [[True, True], [False, False], []])
def test_one_class_alone_has_no_auc(label: list[bool]) -> None:
    found = auc(np.linspace(0, 1, len(label)), np.array(label, dtype=bool))

    assert np.isnan(found.value)
    assert found.support == 0


def test_infinite_scores_are_in_order() -> None:
    score = np.array([np.inf, -np.inf, -np.inf])

    # inf beats -inf, -inf ties -inf: (1 + .5) / 2
    assert auc(score, np.array([True, True, False])).value == pytest.approx(0.75)


@given(SCORES, LABELS, WEIGHTS)
def test_agrees_with_scikit_learn(score: np.ndarray, label: np.ndarray, weight: np.ndarray) -> None:
    expected = roc_auc_score(label, score, sample_weight=weight)

    assert auc(score, label, weight).value == pytest.approx(expected)


@given(SCORES, LABELS, st.randoms(use_true_random=False))
def test_only_the_order_of_scores_counts(score: np.ndarray, label: np.ndarray, random) -> None:
    value = auc(score, label).value
    shuffled = random.sample(range(12), 12)

    assert auc(np.exp(score) - 3, label).value == pytest.approx(value)
    assert auc(-score, label).value == pytest.approx(1 - value)
    assert auc(score[shuffled], label[shuffled]).value == pytest.approx(value)


@given(SCORES, LABELS, WEIGHTS)
def test_a_weight_is_a_number_of_copies(
    score: np.ndarray, label: np.ndarray, weight: np.ndarray
) -> None:
    copies = weight.astype(int)
    repeated = auc(score.repeat(copies), label.repeat(copies))

    assert SortedAuc.of(score, label)(weight) == pytest.approx(repeated.value)


def test_nan_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 scores are nan"):
        auc(np.array([0.1, np.nan]), np.array([True, False]))
