"""What stands in each target's own history: read up to the target's moment and no further."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.history import History
from shelfwise.data.targets import MatchTargets


class PastItems(NamedTuple):
    """Items of the histories of some targets, oldest first; an item may stand many times."""

    row_E: NDArray[np.int64]  # place of the target among those asked for
    item_E: NDArray[np.int64]
    back_E: NDArray[np.int64]  # 0: the newest item of its history, 1: the one before it, ...
    age_E: NDArray[np.int64]  # microseconds from the event to the target's moment
    rows: int

    def latest(self, most: int) -> PastItems:
        """The newest ``most`` of each history."""
        kept_E = self.back_E < most
        return PastItems(
            self.row_E[kept_E],
            self.item_E[kept_E],
            self.back_E[kept_E],
            self.age_E[kept_E],
            self.rows,
        )

    def matrix(self, weight_E: NDArray[np.floating], items: int) -> sparse.csr_array:
        """``[rows, V]`` sum of the weights of each item in each history."""
        cells = (self.row_E, self.item_E)
        return sparse.coo_array((weight_E, cells), shape=(self.rows, items)).tocsr()


def past_items(
    history: History,
    targets: MatchTargets,
    rows: NDArray[np.int64],
    kinds: NDArray[np.uint8] | None = None,
) -> PastItems:
    """Items before each chosen target's moment, of the behaviours ``kinds`` (None: of any)."""
    start_T = history.offset_U1[targets.owner_T[rows]]
    return items_between(history, start_T, targets.end_T[rows], targets.at_T[rows], kinds)


def items_between(
    history: History,
    start_T: NDArray[np.int64],
    end_T: NDArray[np.int64],
    at_T: NDArray[np.int64],
    kinds: NDArray[np.uint8] | None = None,
) -> PastItems:
    """Items of the slices ``[start, end)`` of the event array, with their age at ``at``."""
    length_T = end_T - start_T
    row_E = np.repeat(np.arange(len(end_T)), length_T)
    first_E = np.repeat(length_T.cumsum() - length_T, length_T)
    place_E = start_T[row_E] + np.arange(len(row_E)) - first_E
    counted_E = history.item_E[place_E] >= 0
    if kinds is not None:
        counted_E &= np.isin(history.kind_E[place_E], kinds)
    row_E, place_E = row_E[counted_E], place_E[counted_E]
    stop_T = np.bincount(row_E, minlength=len(end_T)).cumsum()
    return PastItems(
        row_E=row_E,
        item_E=history.item_E[place_E].astype(np.int64),
        back_E=stop_T[row_E] - 1 - np.arange(len(row_E)),
        age_E=at_T[row_E] - history.at_E[place_E],
        rows=len(end_T),
    )


def past_counts(past: PastItems, items: int) -> sparse.csr_array:
    """``[rows, V]`` how often each item stands in each history."""
    return past.matrix(np.ones(len(past.item_E), np.float32), items)
