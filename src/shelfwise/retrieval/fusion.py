"""Several rankings made into one without comparing their scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SMOOTHING = 60  # of the published method; larger flattens the difference between first places


def reciprocal_rank_fusion(
    rankings: Sequence[tuple[float, NDArray[np.int64]]], size: int
) -> NDArray[np.float32]:
    """Sum of ``weight / (60 + rank)`` over the rankings (Cormack et al., 2009).

    Args:
        rankings: weight, and items best first; items not listed gain nothing from that ranking.
        size: number of items in all.

    Returns:
        ``[V]`` fused score of every item.
    """
    score_V = np.zeros(size, np.float32)
    for weight, items in rankings:
        score_V[items] += weight / (_SMOOTHING + 1 + np.arange(len(items)))
    return score_V


def best_first(score_V: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """The ``k`` items of highest score, equal scores by item number."""
    k = min(k, len(score_V))
    if k < len(score_V):
        edge = np.partition(score_V, -k)[-k]
        chosen = np.flatnonzero(score_V >= edge)
    else:
        chosen = np.arange(len(score_V))
    order = np.lexsort((chosen, -score_V[chosen]))[:k]
    return chosen[order].astype(np.int64)
