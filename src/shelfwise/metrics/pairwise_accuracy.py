"""Share of judged pairs that a score puts in the right order.

Shape suffixes in this file: N = judged rows; Q = queries; G = queries with a row of a grade or
below it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.grouped_auc import auc_by_group
from shelfwise.metrics.rows import require_one_per_row, require_ordered
from shelfwise.metrics.value import MetricValue, mean_value


class PairsByQuery(NamedTuple):
    query_Q: NDArray[Any]  # distinct queries, rising
    value_Q: NDArray[np.float64]  # nan where the query has no two grades
    pairs_Q: NDArray[np.int64]  # pairs of different grade


def pairwise_accuracy(
    score_N: NDArray[np.floating], grade_N: NDArray[np.floating], query_N: NDArray[Any]
) -> MetricValue:
    """Probability that the better judged of two products of a query has the higher score.

    Taken over all pairs of different grade within a query, ties of score counting one half,
    then averaged over queries, each counting the same (a long list has many more pairs). With
    two grades it is the mean AUC of the queries; .5 is a random order.

    Args:
        score_N: ``[N]`` higher means ranked earlier.
        grade_N: ``[N]`` higher means judged better.
        query_N: ``[N]`` query of each row, in any order.

    Returns:
        The mean, and the queries that have two grades.
    """
    return mean_value(pairs_by_query(score_N, grade_N, query_N).value_Q)


def pairs_by_query(
    score_N: NDArray[np.floating], grade_N: NDArray[np.floating], query_N: NDArray[Any]
) -> PairsByQuery:
    """The accuracy of each query, for an interval over queries, or over pairs by ``pairs_Q``."""
    require_one_per_row("pairwise_accuracy", score_N, grade_N, query_N)
    for column in (score_N, grade_N):
        require_ordered("pairwise_accuracy", column)
    query_Q, number_N = np.unique(query_N, return_inverse=True)
    right_Q, pairs_Q = np.zeros(len(query_Q)), np.zeros(len(query_Q), np.int64)
    # The pairs whose better product has a grade are those of that grade against all below it.
    for grade in np.unique(grade_N)[1:]:
        kept_N = grade_N <= grade
        better_N = grade_N[kept_N] == grade
        groups = auc_by_group(score_N[kept_N], better_N, number_N[kept_N])
        better_G = np.bincount(number_N[kept_N], better_N, minlength=len(query_Q))[groups.group_G]
        pairs_G = better_G.astype(np.int64) * (groups.rows_G - better_G.astype(np.int64))
        pairs_Q[groups.group_G] += pairs_G
        right_Q[groups.group_G] += np.nan_to_num(groups.value_G) * pairs_G
    nothing = np.full(len(query_Q), np.nan)
    return PairsByQuery(
        query_Q, np.divide(right_Q, pairs_Q, out=nothing, where=pairs_Q > 0), pairs_Q
    )
