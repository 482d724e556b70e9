"""What systems show at the top, as the metrics beyond accuracy count it.

Shape suffixes in this file: T = lists (one for each request); K = places; V = items;
L = places that are filled; U = owners.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.bootstrap import Interval

NOBODY = -1  # a place that is left empty
_NORMAL_95 = 1.959963984540054


def require_lists(metric: str, top_TK: NDArray[np.integer], items: int) -> None:
    """Raise ``ValueError`` where a list names an item that is not there."""
    if top_TK.ndim != 2:
        raise ValueError(f"{metric} needs lists [T, K], got {top_TK.ndim} dimensions")
    if top_TK.size and not (top_TK.min() >= NOBODY and top_TK.max() < items):
        raise ValueError(
            f"{metric}: item {top_TK.min()}..{top_TK.max()} outside the {items} of the catalogue"
        )


def mean_of_lists(value_V: NDArray[Any], top_TK: NDArray[np.integer]) -> NDArray[np.float64]:
    """``[T]`` mean of the items' values over the filled places; nan for an empty list."""
    filled_TK = top_TK != NOBODY
    value_TK = np.where(filled_TK, value_V.astype(np.float64)[top_TK], 0.0)
    count_T = filled_TK.sum(axis=1)
    nothing = np.full(len(top_TK), np.nan)
    mean_T: NDArray[np.float64] = np.divide(
        value_TK.sum(axis=1), count_T, out=nothing, where=count_T > 0
    )
    return mean_T


def filled_places(
    top_TK: NDArray[np.integer], owner_T: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Item of every filled place, number of its owner, and how many owners there are."""
    owners, owner_number_T = np.unique(owner_T, return_inverse=True)
    filled_TK = top_TK != NOBODY
    owner_TK = np.broadcast_to(owner_number_T[:, None], top_TK.shape)
    return top_TK[filled_TK].astype(np.int64), owner_TK[filled_TK].astype(np.int64), len(owners)


def interval_of_influences(value: float, influence_U: NDArray[np.float64], lists: int) -> Interval:
    """95 % by the normal law, the variance being that of the sum of the owners' influences.

    For figures of the whole shop that no mean over owners gives: an influence says how much
    the figure owes to one owner being there (the jackknife; Efron and Stein, 1981).
    Kept within [0, 1].
    """
    owners = len(influence_U)
    if owners < 2:
        return Interval(value, float("nan"), float("nan"), lists)
    spread = influence_U - influence_U.mean()
    reach = _NORMAL_95 * sqrt(float(spread @ spread) * owners / (owners - 1))
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach), lists)
