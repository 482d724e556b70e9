"""The first places of rankings, as a shop would show them.

Shape suffixes in this file: B = targets of a block, V = items, K = places, X = excluded (target,
item) pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.lists import NOBODY
from shelfwise.retrieval.fusion import best_first


def top_items(
    score_BV: NDArray[np.float32],
    k: int,
    excluded_target_X: NDArray[np.int64],
    excluded_item_X: NDArray[np.int64],
) -> NDArray[np.int32]:
    """``[B, K]`` the ``k`` best items of each row, equal scores in the order of the catalogue.

    Excluded items and those that score -inf are never shown; -1 is a place left empty.
    """
    k = min(k, score_BV.shape[1])
    score_BV = score_BV.copy()
    score_BV[excluded_target_X, excluded_item_X] = -np.inf
    if k < score_BV.shape[1]:
        chosen_BK = np.argpartition(score_BV, -k, axis=1)[:, -k:]
    else:
        chosen_BK = np.broadcast_to(np.arange(k), (len(score_BV), k))
    shown_BK = np.take_along_axis(score_BV, chosen_BK, axis=1)
    # argpartition keeps any of the items that tie for the last place.
    edge_B = shown_BK.min(axis=1, initial=np.inf)
    open_B = (score_BV == edge_B[:, None]).sum(axis=1) > (shown_BK == edge_B[:, None]).sum(axis=1)
    top_BK = np.take_along_axis(chosen_BK, np.lexsort((chosen_BK, -shown_BK), axis=1), axis=1)
    for target in np.flatnonzero(open_B & (edge_B > -np.inf)):
        top_BK[target] = best_first(score_BV[target], k)
    reached_BK = np.take_along_axis(score_BV, top_BK, axis=1) > -np.inf
    return np.where(reached_BK, top_BK, NOBODY).astype(np.int32)
