"""EASE mixed with what sold of late: what goes together, and what is in season.

The two are multiplied (their logarithms added), ``(EASE + floor) * (1 + recent count) ** power``:
the product asks for both, and ``floor`` keeps what EASE does not know at the season's mercy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.ease import Ease, Ridge
from shelfwise.evaluation.baselines.popularity import LastDays, Popularity
from shelfwise.evaluation.baselines.role import Family, Learned


class Mixture(NamedTuple):
    """How the two are brought together."""

    floor: float  # beside EASE's scores, of which a strong one is about 0.3
    power: float  # of recent popularity


SETTINGS = tuple(Mixture(floor, power) for power in (0.5, 0.25, 1.0) for floor in (0.03, 0.1))


@dataclass(frozen=True, slots=True)
class EaseAndRecent:
    """EASE's score raised or lowered by recent popularity."""

    ease: Ease
    recent_V: NDArray[np.float32]
    mixture: Mixture

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        known_BV = np.maximum(self.ease.scores(targets, rows), 0) + self.mixture.floor
        found: NDArray[np.float32] = known_BV * (1 + self.recent_V) ** self.mixture.power
        return found


def ease_and_recent(ridge: Ridge, window: LastDays) -> Family[Mixture]:
    """A mixture of the two in the settings that were chosen for each alone."""

    def fit(learned: Learned, settings: Sequence[Mixture]) -> Iterator[EaseAndRecent]:
        alone = Ease.of(learned, ridge)
        recent = Popularity.since(learned, learned.until - window.days * DAY)
        for setting in settings:
            yield EaseAndRecent(alone, recent.count_V, setting)

    return Family("EASE and recent popularity", SETTINGS, fit)
