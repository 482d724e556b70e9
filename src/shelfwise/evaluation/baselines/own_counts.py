"""What the shopper took before, most often first; then what everybody took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.history import History
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.role import Taken, past_counts


@dataclass(frozen=True, slots=True)
class OwnCounts:
    """Own counts decide; popularity, scaled below one, breaks their ties."""

    history: History
    kinds: NDArray[np.uint8]
    popularity_V: NDArray[np.float32]
    name: str = "own purchase counts"

    @classmethod
    def of(cls, history: History, kinds: NDArray[np.uint8], taken: Taken) -> OwnCounts:
        """Prepare the tie-breaker from the behaviour before the test."""
        count_V = np.bincount(taken.item_E, minlength=taken.items).astype(np.float32)
        return cls(history, kinds, count_V / (count_V.max(initial=0) + 1))

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        own = past_counts(self.history, targets, rows, self.kinds)
        score = np.repeat(self.popularity_V[None], len(rows), axis=0)
        score[:, : own.shape[1]] += own.toarray().astype(np.float32)
        return score
