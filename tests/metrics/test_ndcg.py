from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import ndcg_score

from shelfwise.metrics.ndcg import ndcg_at_k
from shelfwise.metrics.ranks import TiedRanks, ranks_of_relevant

SCORES = arrays(np.float64, (4, 6), elements=st.integers(0, 3).map(float))
RELEVANT = arrays(np.bool_, (4, 6))


def test_ndcg_by_hand() -> None:
    # user 0: relevant at places 1 and 4 of 3 counted: 1 / (1 + 1/log2(3)), two are ideal
    # user 1: place 2, but three relevant items (two without a rank) and k = 3:
    #         (1/log2(3)) / (1 + 1/log2(3) + 1/2)
    # user 2: nothing relevant
    ranks = TiedRanks(np.array([4, 2, 1]), np.array([4, 2, 1]))

    value = ndcg_at_k(ranks, np.array([0, 1, 0]), np.array([2, 3, 0]), k=3)

    second = 1 / log2(3)
    expected = [1 / (1 + second), second / (1 + second + 1 / 2), np.nan]
    assert value == pytest.approx(expected, nan_ok=True)


def test_a_tie_across_the_cut_by_hand() -> None:
    # The item shares places 2 to 4, and k = 2: a third of the gain of place 2.
    value = ndcg_at_k(TiedRanks(np.array([2]), np.array([4])), np.array([0]), np.array([1]), k=2)

    assert value == pytest.approx([1 / log2(3) / 3])


@given(SCORES, RELEVANT, st.integers(1, 8))
def test_agrees_with_scikit_learn(score: np.ndarray, relevant: np.ndarray, k: int) -> None:
    user, item = np.nonzero(relevant)
    value = ndcg_at_k(ranks_of_relevant(score, user, item), user, relevant.sum(1), k)

    for one in range(4):
        if relevant[one].any():
            assert value[one] == pytest.approx(ndcg_score(relevant[[one]], score[[one]], k=k))
        else:
            assert np.isnan(value[one])


@given(SCORES, RELEVANT, st.permutations(range(6)))
def test_only_the_order_of_scores_counts(
    score: np.ndarray, relevant: np.ndarray, order: list[int]
) -> None:
    def measure(score: np.ndarray, relevant: np.ndarray) -> np.ndarray:
        user, item = np.nonzero(relevant)
        return ndcg_at_k(ranks_of_relevant(score, user, item), user, relevant.sum(1), k=3)

    value = measure(score, relevant)

    assert measure(np.exp(score), relevant) == pytest.approx(value, nan_ok=True)
    assert measure(score[:, order], relevant[:, order]) == pytest.approx(value, nan_ok=True)
    assert (np.isnan(value) | ((value >= 0) & (value <= 1 + 1e-12))).all()


def test_what_does_not_fit_together_is_refused() -> None:
    ranks = TiedRanks(np.array([1]), np.array([1]))
    user, counted = np.array([0]), np.array([1])
    with pytest.raises(ValueError, match="k of at least 1, got 0"):
        ndcg_at_k(ranks, user, counted, k=0)
    with pytest.raises(ValueError, match="user 0 has 1 ranked items but 0 relevant"):
        ndcg_at_k(ranks, user, counted * 0, k=1)
    with pytest.raises(ValueError, match=r"user 1\.\.1 outside the 1 counted"):
        ndcg_at_k(ranks, user + 1, counted, k=1)
    with pytest.raises(ValueError, match=r"lengths \[1, 1, 2\]"):
        ndcg_at_k(ranks, np.array([0, 0]), counted, k=1)
