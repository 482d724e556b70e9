from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.metrics.pairwise_accuracy import pairs_by_query, pairwise_accuracy

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=14
)


def test_by_hand() -> None:
    # Query 1: grades 2, 1, 0 with scores 3, 1, 1: pairs (2,1) and (2,0) right, (1,0) tied: 2.5/3.
    # Query 4: grades 1 and 0 in the wrong order: 0/1. Query 2: one grade.
    score = np.array([3.0, 1.0, 1.0, 1.0, 2.0, 9.0, 8.0])
    grade = np.array([2.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    query = np.array([1, 1, 1, 4, 4, 2, 2])

    found = pairs_by_query(score, grade, query)

    assert found.query_Q.tolist() == [1, 2, 4]
    assert found.value_Q == pytest.approx([2.5 / 3, np.nan, 0], nan_ok=True)
    assert found.pairs_Q.tolist() == [3, 0, 1]
    assert pairwise_accuracy(score, grade, query) == (pytest.approx((2.5 / 3 + 0) / 2), 2)


@given(ROWS)
def test_agrees_with_counting_every_pair(rows: list[tuple[int, int, int]]) -> None:
    score, grade, query = (np.array(column, float) for column in zip(*rows, strict=True))
    found = pairs_by_query(score, grade, query)

    for place, name in enumerate(found.query_Q):
        mine = [row for row in rows if row[2] == name]
        right = [
            0.5 if a[0] == b[0] else float((a[0] > b[0]) == (a[1] > b[1]))
            for a, b in combinations(mine, 2)
            if a[1] != b[1]
        ]
        assert found.pairs_Q[place] == len(right)
        expected = np.mean(right) if right else np.nan
        assert found.value_Q[place] == pytest.approx(expected, nan_ok=True)


@given(ROWS, st.randoms(use_true_random=False))
def test_only_the_order_of_scores_counts(rows: list[tuple[int, int, int]], random) -> None:
    score, grade, query = (np.array(column, float) for column in zip(*rows, strict=True))
    value = pairwise_accuracy(score, grade, query).value
    order = random.sample(range(len(rows)), len(rows))

    assert pairwise_accuracy(np.exp(score), grade, query).value == pytest.approx(value, nan_ok=True)
    again = pairwise_accuracy(score[order], grade[order], query[order]).value
    assert again == pytest.approx(value, nan_ok=True)
    assert pairwise_accuracy(-score, grade, query).value == pytest.approx(1 - value, nan_ok=True)
