"""How unequally the places of all lists are handed out over the catalogue.

Shape suffixes in this file: T = lists; K = places; V = items; U = owners; L = filled places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.bootstrap import Interval
from shelfwise.metrics.lists import filled_places, interval_of_influences, require_lists
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def exposure_gini(top_TK: NDArray[np.integer], items: int) -> MetricValue:
    """0 where every item is shown equally often, near 1 where a few fill all lists.

    Gini's coefficient (1912) of the places that each item of the whole catalogue fills:
    ``sum over items by rising count of (2 i - V - 1) count_i / (V * places)``, i from 1.

    Args:
        top_TK: ``[T, K]`` items shown; -1 is an empty place.
        items: size of the catalogue, V.

    Returns:
        The coefficient and the number of lists; nan where nothing is shown.
    """
    require_lists("exposure_gini", top_TK, items)
    count_V = np.bincount(top_TK[top_TK >= 0], minlength=items)
    if count_V.sum() == 0:
        return NOTHING_TO_MEASURE
    return MetricValue(float(_standing(count_V) @ count_V) / count_V.sum(), len(top_TK))


def exposure_gini_interval(
    top_TK: NDArray[np.integer], owner_T: NDArray[np.integer], items: int
) -> Interval:
    """The coefficient, and the range that as many other owners would give.

    Drawing owners again would make it larger, always; the infinitesimal jackknife (Jaeckel,
    1972) takes the slope of the coefficient in each owner's weight instead.
    """
    found = exposure_gini(top_TK, items)
    if found.support == 0:
        return Interval(found.value, float("nan"), float("nan"), 0)
    item_L, owner_L, owners = filled_places(top_TK, owner_T)
    count_V = np.bincount(item_L, minlength=items)
    # The coefficient is a ratio of two sums over places; ranks are constant where it is smooth.
    slope_V = (_standing(count_V) - found.value) / count_V.sum()
    influence_U = np.bincount(owner_L, slope_V[item_L], minlength=owners)
    return interval_of_influences(found.value, influence_U.astype(np.float64), found.support)


def _standing(count_V: NDArray[np.int64]) -> NDArray[np.float64]:
    """``(2 i - V - 1) / V`` with i each item's rank by count, equal counts at their mean."""
    rising = np.sort(count_V)
    below_V = np.searchsorted(rising, count_V, side="left")
    not_above_V = np.searchsorted(rising, count_V, side="right")
    standing_V: NDArray[np.float64] = (below_V + not_above_V - len(count_V)) / len(count_V)
    return standing_V
