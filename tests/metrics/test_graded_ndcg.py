from __future__ import annotations

from itertools import permutations
from math import log2

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from shelfwise.metrics.graded_ndcg import graded_ndcg_at_k
from shelfwise.metrics.value import mean_value

# (score, grade) of the judged products of one query, with ties.
LISTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=6)
CUTOFFS = st.integers(1, 7)


def test_by_hand() -> None:
    # Query 7: grades 2, 0, 1 in this order: gains 3, 0, 1. k = 2: 3 of at best 3 + 1/log2(3).
    # Query 3: grades 0 and 1, tied: (0 + 1)/2 * (1 + 1/log2(3)) of at best 1.
    # Query 5 has one grade, query 9 one product.
    score = np.array([3.0, 2.0, 1.0, 5.0, 5.0, 1.0, 2.0, 4.0])
    grade = np.array([2, 0, 1, 0, 1, 1, 1, 2])
    query = np.array([7, 7, 7, 3, 3, 5, 5, 9])

    found = graded_ndcg_at_k(score, grade, query, k=2)

    second = 1 / log2(3)
    assert found.query_Q.tolist() == [3, 5, 7, 9]
    expected = [(1 + second) / 2, np.nan, 3 / (3 + second), np.nan]
    assert found.ndcg_Q == pytest.approx(expected, nan_ok=True)
    # At random: the mean gain at each place, 1/2 in query 3 and 4/3 in query 7.
    expected = [(1 + second) / 2, np.nan, 4 / 3 * (1 + second) / (3 + second), np.nan]
    assert found.random_Q == pytest.approx(expected, nan_ok=True)
    assert found.rows_Q.tolist() == [2, 2, 3, 1]
    assert found.left_out == 2
    assert mean_value(found.ndcg_Q).support == 2


def measured(rows: list[tuple[int, int]], k: int) -> tuple[float, float]:
    score, grade = (np.array(column) for column in zip(*rows, strict=True))
    found = graded_ndcg_at_k(score.astype(float), grade, np.zeros(len(rows), int), k)
    return float(found.ndcg_Q[0]), float(found.random_Q[0])


@given(LISTS, CUTOFFS)
def test_agrees_with_scikit_learn(rows: list[tuple[int, int]], k: int) -> None:
    score, grade = (np.array([column]) for column in zip(*rows, strict=True))
    value, _ = measured(rows, k)

    if len(set(grade[0].tolist())) > 1:
        assert value == pytest.approx(ndcg_score(2.0**grade - 1, score, k=k))
    else:
        assert np.isnan(value)


@given(LISTS, CUTOFFS)
def test_the_floor_is_the_mean_over_all_orders(rows: list[tuple[int, int]], k: int) -> None:
    _, floor = measured(rows, k)
    if np.isnan(floor):
        return
    # Every order of the list as a query of its own, the first of it scored highest.
    grade = np.array(list(permutations([grade for _, grade in rows])))
    score = np.broadcast_to(-np.arange(float(len(rows))), grade.shape)
    query = np.repeat(np.arange(len(grade)), len(rows))
    found = graded_ndcg_at_k(score.ravel(), grade.ravel(), query, k)
    assert floor == pytest.approx(found.ndcg_Q.mean())


@given(st.permutations(range(6)), st.lists(st.integers(0, 1), min_size=6, max_size=6), CUTOFFS)
def test_agrees_with_trec_eval(order: list[int], grades: list[int], k: int) -> None:
    # trec_eval's gain is the grade itself, which for grades 0 and 1 is 2^g - 1 as well.
    oracle = pytrec_eval.RelevanceEvaluator(
        {"q": {f"d{item}": grade for item, grade in enumerate(grades)}}, {f"ndcg_cut.{k}"}
    )
    run = {"q": {f"d{item}": float(score) for item, score in enumerate(order)}}
    value, _ = measured(list(zip(order, grades, strict=True)), k)

    if 0 < sum(grades) < 6:
        assert value == pytest.approx(oracle.evaluate(run)["q"][f"ndcg_cut_{k}"])


@given(LISTS, st.permutations(range(6)))
def test_only_the_order_of_scores_counts(rows: list[tuple[int, int]], order: list[int]) -> None:
    shuffled = [rows[place] for place in order if place < len(rows)]
    value, _ = measured(rows, 3)

    assert measured(shuffled, 3)[0] == pytest.approx(value, nan_ok=True)
    moved = [(3 * score - 7, grade) for score, grade in rows]
    assert measured(moved, 3)[0] == pytest.approx(value, nan_ok=True)
    assert np.isnan(value) or 0 <= value <= 1 + 1e-12


def test_no_rows_and_wrong_rows() -> None:
    none = graded_ndcg_at_k(np.empty(0), np.empty(0), np.empty(0, int), k=3)
    assert mean_value(none.ndcg_Q).support == none.left_out == 0
    with pytest.raises(ValueError, match=r"grades of 0 or more, got -1\.0"):
        graded_ndcg_at_k(np.zeros(2), np.array([-1.0, 0.0]), np.zeros(2, int), k=3)
    with pytest.raises(ValueError, match="k of at least 1, got 0"):
        graded_ndcg_at_k(np.zeros(1), np.zeros(1), np.zeros(1, int), k=0)
