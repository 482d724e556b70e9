"""The same list for everybody: what was taken most, ever or of late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.role import Taken


@dataclass(frozen=True, slots=True)
class Popularity:
    """Number of times an item was taken since ``since``."""

    name: str
    count_V: NDArray[np.float32]

    @classmethod
    def of(cls, taken: Taken, name: str, since: int) -> Popularity:
        """Count the behaviour at or after ``since`` (microseconds)."""
        late_E = taken.at_E >= since
        count_V = np.bincount(taken.item_E[late_E], minlength=taken.items)
        return cls(name, count_V.astype(np.float32))

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:  # noqa: ARG002
        """The same counts for every target."""
        return np.broadcast_to(self.count_V, (len(rows), len(self.count_V)))
