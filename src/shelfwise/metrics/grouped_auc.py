"""AUC inside each request (GAUC).

Shape suffixes in this file: N = rows; T = distinct (group, score) pairs; G = distinct groups.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_ordered, run_starts
from shelfwise.metrics.value import MetricValue, mean_value


class AucByGroup(NamedTuple):
    group_G: NDArray[Any]  # distinct groups, rising
    value_G: NDArray[np.float64]  # nan where the group has only positives or only negatives
    rows_G: NDArray[np.int64]

    @property
    def left_out(self) -> int:
        """Groups of one class alone, which have no AUC."""
        return int(np.count_nonzero(np.isnan(self.value_G)))


def grouped_auc(
    score_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    group_N: NDArray[Any],
) -> MetricValue:
    """Probability that a clicked item outranks an unclicked one shown beside it.

    AUC is computed inside each group (request), ties counting one half, and averaged
    with the group's number of rows as weight. A group with only clicks or only
    non-clicks has no AUC: it is left out, and ``support`` says how many were kept.

    Args:
        score_N: ``[N]`` higher means ranked earlier.
        label_N: ``[N]`` whether the row was clicked.
        group_N: ``[N]`` request of the row, in any order.
    """
    groups = auc_by_group(score_N, label_N, group_N)
    return mean_value(groups.value_G, groups.rows_G.astype(np.float64))


def auc_by_group(
    score_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    group_N: NDArray[Any],
) -> AucByGroup:
    """The AUC of each group, for an interval over groups; see ``grouped_auc``."""
    require_one_per_row("grouped_auc", score_N, label_N, group_N)
    require_ordered("grouped_auc", score_N)
    if len(score_N) == 0:
        return AucByGroup(group_N, np.empty(0), np.empty(0, dtype=np.int64))

    order_N = np.lexsort((score_N, group_N))
    group_by_order_N = group_N[order_N]
    start_G = run_starts(group_by_order_N)
    start_T = run_starts(group_by_order_N, score_N[order_N])
    group_T = np.searchsorted(start_G, start_T, side="right") - 1

    positive_N = label_N[order_N].astype(np.float64)
    positive_T = np.add.reduceat(positive_N, start_T)
    negative_T = np.add.reduceat(1 - positive_N, start_T)
    positive_G = np.bincount(group_T, positive_T)
    negative_G = np.bincount(group_T, negative_T)

    # One running count over all groups: what stood before a group's first row is not its own.
    before_group_G = np.cumsum(negative_G) - negative_G
    beaten_T = np.cumsum(negative_T) - negative_T / 2 - before_group_G[group_T]
    wins_G = np.bincount(group_T, positive_T * beaten_T)

    pairs_G = positive_G * negative_G
    value_G = np.divide(wins_G, pairs_G, out=np.full(len(wins_G), np.nan), where=pairs_G > 0)
    return AucByGroup(group_by_order_N[start_G], value_G, np.diff(start_G, append=len(score_N)))
