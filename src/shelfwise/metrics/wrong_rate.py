"""Recommendations that are known to be wrong.

Shape suffixes in this file: T = lists; K = places; J = verdicts, (list, item) pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


class WrongPlaces(NamedTuple):
    """Counts of each list's places, so that shares can be taken over any lists."""

    wrong_T: NDArray[np.int64]  # judged irrelevant, or returned
    judged_T: NDArray[np.int64]  # with any verdict
    places_T: NDArray[np.int64]  # filled

    def of_judged(self) -> MetricValue:
        """Wrong over judged places: how wrong the system is where anybody can know."""
        return _share(self.wrong_T, self.judged_T, int(self.judged_T.sum()))

    def of_all(self) -> MetricValue:
        """Wrong over all places: what is certain; places without a verdict may be wrong too."""
        return _share(self.wrong_T, self.places_T, int(self.judged_T.sum()))


def wrong_places(
    top_TK: NDArray[np.integer],
    verdict_list_J: NDArray[np.integer],
    verdict_item_J: NDArray[np.integer],
    wrong_J: NDArray[np.bool_],
) -> WrongPlaces:
    """Count the places of each list whose item was judged, and judged wrong.

    Args:
        top_TK: ``[T, K]`` items shown; -1 is an empty place.
        verdict_list_J: ``[J]`` list that the verdict is about. Verdicts that agree may stand
            more than once; where they do not agree, wrong wins.
        verdict_item_J: ``[J]`` its item.
        wrong_J: ``[J]`` whether the item is wrong there (irrelevant, returned) or right.
    """
    require_one_per_row("wrong_places", verdict_list_J, verdict_item_J, wrong_J)
    size = 1 + max(int(top_TK.max(initial=0)), int(verdict_item_J.max(initial=0)))
    cell_TK = np.arange(len(top_TK))[:, None] * size + top_TK
    cell_J = verdict_list_J.astype(np.int64) * size + verdict_item_J
    filled_TK = top_TK >= 0
    judged_TK = np.isin(cell_TK, cell_J) & filled_TK
    wrong_TK = np.isin(cell_TK, cell_J[wrong_J]) & filled_TK
    wrong_T, judged_T, places_T = (
        found.sum(axis=1, dtype=np.int64) for found in (wrong_TK, judged_TK, filled_TK)
    )
    return WrongPlaces(wrong_T, judged_T, places_T)


def _share(part_T: NDArray[np.int64], whole_T: NDArray[np.int64], support: int) -> MetricValue:
    """A share that rests on ``support`` verdicts; without any it is unknown, not 0."""
    if support == 0:
        return NOTHING_TO_MEASURE
    return MetricValue(float(part_T.sum() / whole_T.sum()), support)
