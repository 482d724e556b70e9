from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.retrieval.fusion import best_first, reciprocal_rank_fusion


def test_fusion_by_hand() -> None:
    words, meaning = np.array([2, 0]), np.array([0, 1, 2])

    found = reciprocal_rank_fusion([(1.0, words), (0.5, meaning)], size=4)

    # Places count from 1: 1/61, 1/62, 1/63, the second ranking half as much.
    expected = [1 / 62 + 0.5 / 61, 0.5 / 62, 1 / 61 + 0.5 / 63, 0]
    assert found.tolist() == pytest.approx(expected)


def test_no_rankings_give_nothing() -> None:
    none = np.empty(0, np.int64)

    assert reciprocal_rank_fusion([(1.0, none)], size=2).tolist() == [0, 0]


@given(
    st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), max_size=12),
    st.integers(0, 15),
)
def test_best_first_is_a_sort_by_score_then_number(scores: list[float], k: int) -> None:
    expected = sorted(range(len(scores)), key=lambda item: (-scores[item], item))[:k]

    assert best_first(np.array(scores, np.float32), k).tolist() == expected
