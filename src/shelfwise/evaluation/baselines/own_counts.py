"""What the shopper took before, most often and latest first; then what everybody took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.past import past_items
from shelfwise.evaluation.baselines.role import Family, Learned


class Fading(NamedTuple):
    """After how much its weight is halved; inf: never."""

    half_life_days: float  # by time
    half_life_acts: float  # by the number of later acts of the same shopper


BY_TIME = tuple(Fading(days, inf) for days in (7, 30, 90, 180))
BY_ORDER = tuple(Fading(inf, acts) for acts in (2, 10, 50, 200))


@dataclass(frozen=True, slots=True)
class OwnCounts:
    """Own counts, faded, decide; popularity, scaled below the least of them, ranks the rest."""

    learned: Learned
    fading: Fading
    popularity_V: NDArray[np.float32]

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        past = past_items(self.learned.history, targets, rows, self.learned.kinds)
        power_E = past.age_E / (self.fading.half_life_days * DAY)
        power_E += past.back_E / self.fading.half_life_acts
        # Faded to nothing it would still be the shopper's own.
        weight_E = np.maximum(0.5**power_E, 1e-4).astype(np.float32)
        own_BV = past.matrix(weight_E, len(self.popularity_V)).toarray()
        found: NDArray[np.float32] = own_BV.astype(np.float32) + 1e-4 * self.popularity_V
        return found


def own_counts(*, timed: bool) -> Family[Fading]:
    """``timed``: the log knows times, so that days can be told."""

    def fit(learned: Learned, settings: Sequence[Fading]) -> Iterator[OwnCounts]:
        for setting in settings:
            yield OwnCounts(learned, setting, learned.taken.popularity())

    settings = (Fading(inf, inf), *(BY_TIME if timed else ()), *BY_ORDER)
    return Family("own purchase counts", settings, fit, repeats=True)
