"""Share of the catalogue that anybody is shown.

Shape suffixes in this file: T = lists; K = places; V = items; U = owners; L = filled places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.bootstrap import Interval
from shelfwise.metrics.lists import filled_places, interval_of_influences, require_lists
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def coverage(top_TK: NDArray[np.integer], items: int) -> MetricValue:
    """Distinct items in the first k places of all lists, over the items of the catalogue.

    It grows with the number of lists: compare systems on the same requests only
    (catalogue coverage; Ge et al., 2010).

    Args:
        top_TK: ``[T, K]`` items shown; -1 is an empty place.
        items: size of the catalogue.

    Returns:
        The share and the number of lists.
    """
    require_lists("coverage", top_TK, items)
    shown = np.unique(top_TK)
    count = int(np.count_nonzero(shown >= 0))
    return MetricValue(count / items, len(top_TK)) if len(top_TK) else NOTHING_TO_MEASURE


def coverage_interval(
    top_TK: NDArray[np.integer], owner_T: NDArray[np.integer], items: int
) -> Interval:
    """Coverage, and the range that as many other owners would give.

    Drawing owners again would count fewer items, always: a draw holds some owners twice. The
    jackknife instead takes what each owner alone adds, the items shown to nobody else
    (Heltshe and Forrester, 1983).
    """
    found = coverage(top_TK, items)
    item_L, owner_L, owners = filled_places(top_TK, owner_T)
    pairs = np.unique(owner_L * items + item_L)
    item_of_pair, owner_of_pair = pairs % items, pairs // items
    alone = np.bincount(item_of_pair, minlength=items)[item_of_pair] == 1
    added_U = np.bincount(owner_of_pair[alone], minlength=owners) / items
    return interval_of_influences(found.value, added_U, found.support)
