"""Last-click Markov: what followed the shopper's last item most often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.history import History
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.role import Taken


@dataclass(frozen=True, slots=True)
class Markov:
    """Counts of item -> next item of the same owner; popularity breaks ties."""

    history: History
    follows_VV: sparse.csr_array
    popularity_V: NDArray[np.float32]
    name: str = "last-click Markov"

    @classmethod
    def of(cls, history: History, taken: Taken) -> Markov:
        """Count neighbouring pairs of the behaviour before the test."""
        same_E = taken.owner_E[1:] == taken.owner_E[:-1]
        pairs = (taken.item_E[:-1][same_E], taken.item_E[1:][same_E])
        shape = (taken.items, taken.items)
        follows = sparse.coo_array((np.ones(len(pairs[0])), pairs), shape=shape).tocsr()
        count_V = np.bincount(taken.item_E, minlength=taken.items).astype(np.float32)
        return cls(history, follows, count_V / (count_V.max(initial=0) + 1))

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        last_T = self._last_items(targets, rows)
        score = np.repeat(self.popularity_V[None], len(rows), axis=0)
        known = np.flatnonzero(last_T >= 0)
        score[known] += self.follows_VV[last_T[known]].toarray().astype(np.float32)
        return score

    def _last_items(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Newest item of each history, -1 where there is none."""
        place = np.arange(len(self.history.item_E))
        newest_E = np.maximum.accumulate(np.where(self.history.item_E >= 0, place, -1))
        end_T = targets.end_T[rows]
        start_T = self.history.offset_U1[targets.owner_T[rows]]
        if len(newest_E) == 0:
            return np.full(len(rows), -1, np.int64)
        at_T = newest_E[np.maximum(end_T - 1, 0)]
        found_T = (end_T > start_T) & (at_T >= start_T)
        return np.where(found_T, self.history.item_E[at_T], -1).astype(np.int64)
