"""Normalised discounted cumulative gain of judged lists (Järvelin and Kekäläinen, 2002), with
exponential gain (Burges et al., 2005), and what a random order of the same lists earns.

Shape suffixes in this file: N = judged rows; Q = queries; T = ties within a query; K = places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.relevant import require_cutoff
from shelfwise.metrics.rows import require_one_per_row, require_ordered, run_starts


@dataclass(frozen=True, slots=True)
class JudgedLists:
    """The NDCG of every query, beside the one that a random order has in the mean.

    nan where the list has one product or one grade: every order of it is the best one, and to
    count it as 1 would lift all systems alike.
    """

    query_Q: NDArray[Any]  # distinct queries, rising
    ndcg_Q: NDArray[np.float64]
    random_Q: NDArray[np.float64]  # expectation over all orders, in closed form
    rows_Q: NDArray[np.int64]

    @property
    def left_out(self) -> int:
        """Queries with one product or one grade."""
        return int(np.count_nonzero(np.isnan(self.ndcg_Q)))


def graded_ndcg_at_k(
    score_N: NDArray[np.floating],
    grade_N: NDArray[np.floating],
    query_N: NDArray[Any],
    k: int,
) -> JudgedLists:
    """How much of the best order's discounted gain each query's first k places hold.

    A product of grade g gains ``2^g - 1``, divided by ``log2(1 + r)`` at place r; the sum is
    divided by that of the order by falling grade. Products of one score gain the mean of
    their gains at each place that the tie fills, the exact expectation over their orders
    (McSherry and Najork, 2008). A random order gains the query's mean gain at every place.
    Grades start at 0 for "irrelevant": shift them so. ``mean_value`` makes one number.

    Args:
        score_N: ``[N]`` higher means ranked earlier; nan is refused.
        grade_N: ``[N]`` 0 or more.
        query_N: ``[N]`` query of each row, in any order.
        k: places that count.
    """
    require_one_per_row("graded_ndcg_at_k", score_N, grade_N, query_N)
    require_ordered("graded_ndcg_at_k", score_N)
    require_cutoff("graded_ndcg_at_k", k)
    if len(grade_N) and not grade_N.min() >= 0:
        raise ValueError(f"graded_ndcg_at_k needs grades of 0 or more, got {grade_N.min()}")
    if len(score_N) == 0:
        return JudgedLists(query_N, np.empty(0), np.empty(0), np.empty(0, np.int64))
    gain_N = np.exp2(grade_N.astype(np.float64)) - 1
    query_Q, query_N, rows_Q = np.unique(query_N, return_inverse=True, return_counts=True)
    reached_Q = _discounted_gain(score_N.astype(np.float64), gain_N, query_N, k)
    best_Q = _discounted_gain(gain_N, gain_N, query_N, k)

    discount_of_first = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    mean_gain_Q = np.bincount(query_N, gain_N) / rows_Q
    random_Q = mean_gain_Q * discount_of_first[np.minimum(rows_Q, k)]

    highest_Q, lowest_Q = np.full(len(query_Q), -np.inf), np.full(len(query_Q), np.inf)
    np.maximum.at(highest_Q, query_N, gain_N)
    np.minimum.at(lowest_Q, query_N, gain_N)
    best_Q[highest_Q == lowest_Q] = np.nan
    return JudgedLists(query_Q, reached_Q / best_Q, random_Q / best_Q, rows_Q.astype(np.int64))


def _discounted_gain(
    score_N: NDArray[np.float64],
    gain_N: NDArray[np.float64],
    query_N: NDArray[np.intp],
    k: int,
) -> NDArray[np.float64]:
    """``[Q]`` gain of each query's first k places by falling score, ties by expectation."""
    order_N = np.lexsort((-score_N, query_N))
    query_by_order_N = query_N[order_N]
    start_T = run_starts(query_by_order_N, score_N[order_N])
    start_Q = run_starts(query_by_order_N)
    size_T = np.diff(start_T, append=len(order_N))
    query_T = query_by_order_N[start_T]
    before_T = start_T - start_Q[query_T]  # rows of the query above the tie

    discount_of_first = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    end_T, begin_T = np.minimum(before_T + size_T, k), np.minimum(before_T, k)
    mean_gain_T = np.add.reduceat(gain_N[order_N], start_T) / size_T
    gained_T = mean_gain_T * (discount_of_first[end_T] - discount_of_first[begin_T])
    return np.bincount(query_T, gained_T).astype(np.float64)
