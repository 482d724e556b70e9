"""What every baseline is: a name, and a score of each item for each test request.

Shape suffixes in these files: T = targets (requests judged), V = items, U = owners, E = events.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.history import History
from shelfwise.data.targets import MatchTargets


class Taken(NamedTuple):
    """Behaviour before the test that counts as a match, sorted by owner, then time."""

    owner_E: NDArray[np.int64]
    item_E: NDArray[np.int64]
    at_E: NDArray[np.int64]  # microseconds
    owners: int
    items: int

    def matrix(self) -> sparse.csr_array:
        """``[U, V]`` how often each owner took each item."""
        counts = sparse.coo_array(
            (np.ones(len(self.item_E)), (self.owner_E, self.item_E)),
            shape=(self.owners, self.items),
        )
        return counts.tocsr()


class Baseline(Protocol):
    """Scores the whole catalogue for chosen targets."""

    @property
    def name(self) -> str: ...

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]`` higher means ranked earlier."""


def past_counts(
    history: History, targets: MatchTargets, rows: NDArray[np.int64], kinds: NDArray[np.uint8]
) -> sparse.csr_array:
    """``[len(rows), V']`` how often each item stands in each target's own history.

    ``V'`` is the largest item number in the log, plus 1; ``kinds`` are the behaviours counted.
    """
    start_T = history.offset_U1[targets.owner_T[rows]]
    length_T = targets.end_T[rows] - start_T
    row_E = np.repeat(np.arange(len(rows)), length_T)
    first_E = np.repeat(length_T.cumsum() - length_T, length_T)
    place_E = start_T[row_E] + np.arange(len(row_E)) - first_E
    counted_E = np.isin(history.kind_E[place_E], kinds) & (history.item_E[place_E] >= 0)
    items = int(history.item_E.max(initial=0)) + 1
    cells = (row_E[counted_E], history.item_E[place_E[counted_E]].astype(np.int64))
    counts = sparse.coo_array((np.ones(len(cells[0])), cells), shape=(len(rows), items))
    return counts.tocsr()
