"""Last-click Markov: what followed the shopper's last items most often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.past import past_items
from shelfwise.evaluation.baselines.role import Family, Learned
from shelfwise.retrieval.taken import follows


class Steps(NamedTuple):
    """How far one looks back, in the shopper's past and when pairs are counted."""

    items: int  # last items of the shopper that are looked at
    fade: float  # weight of each, beside the one after it
    reach: int  # an item follows another within so many steps, at 1 / distance


SETTINGS = (
    Steps(1, 1.0, 1),
    Steps(3, 0.1, 1),
    Steps(3, 0.1, 2),
    Steps(3, 0.3, 1),
    Steps(3, 0.3, 3),
    Steps(5, 0.6, 3),
    Steps(10, 0.8, 10),
)


@dataclass(frozen=True, slots=True)
class Markov:
    """Chance of each item after the shopper's last ones, summed; popularity breaks ties."""

    learned: Learned
    steps: Steps
    chance_VV: sparse.csr_array
    popularity_V: NDArray[np.float32]

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        past = past_items(self.learned.history, targets, rows).latest(self.steps.items)
        last_BV = past.matrix(self.steps.fade**past.back_E, len(self.popularity_V))
        found_BV = (last_BV @ self.chance_VV).toarray().astype(np.float32)
        found: NDArray[np.float32] = found_BV + 1e-6 * self.popularity_V
        return found


def markov() -> Family[Steps]:
    """What came next, from the last click alone to the last ten, fading."""

    def fit(learned: Learned, settings: Sequence[Steps]) -> Iterator[Markov]:
        found: dict[int, sparse.csr_array] = {}
        for setting in settings:
            if setting.reach not in found:
                found = {setting.reach: follows(learned.taken, setting.reach)}
            yield Markov(learned, setting, found[setting.reach], learned.taken.popularity())

    return Family("last-click Markov", SETTINGS, fit)
