"""EASE as a baseline: the items that explain each other best, weighed by closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.past import past_counts, past_items
from shelfwise.evaluation.baselines.role import Family, Learned
from shelfwise.retrieval.ease import ease_weights

MOST_ITEMS = 20_000  # time grows with the third power, memory with the second
_MANY = 6_000  # items; above them fewer settings are tried


class Ridge(NamedTuple):
    """How strongly weights are held near 0, and what ``X`` holds."""

    regularisation: float
    counted: bool  # log(1 + times taken), in the history as well; else whether it was taken


SETTINGS = tuple(
    Ridge(strength, counted)
    for counted, strengths in ((False, (200, 50, 500, 1_000)), (True, (50, 200)))
    for strength in strengths
)
FEW_SETTINGS = (Ridge(200, False), Ridge(500, False))


@dataclass(frozen=True, slots=True)
class Ease:
    """Sum of the weights from the items of the shopper's own history."""

    learned: Learned
    weight_VV: NDArray[np.float32]
    counted: bool
    popularity_V: NDArray[np.float32]

    @classmethod
    def of(cls, learned: Learned, setting: Ridge) -> Ease:
        """Solve for the weights."""
        taken_UV = learned.taken.matrix()
        taken_UV.data = _strength(taken_UV.data, setting.counted)
        weight_VV = ease_weights(taken_UV, setting.regularisation)
        return cls(learned, weight_VV, setting.counted, learned.taken.popularity())

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        past = past_items(self.learned.history, targets, rows, self.learned.kinds)
        own_BV = past_counts(past, len(self.popularity_V))
        own_BV.data = _strength(own_BV.data, self.counted)
        found: NDArray[np.float32] = own_BV @ self.weight_VV
        nobody_B = np.diff(own_BV.indptr) == 0
        found[nobody_B] = self.popularity_V
        return found


def _strength(count_E: NDArray[np.floating], counted: bool) -> NDArray[np.float32]:
    """What each count of at least 1 says."""
    return (np.log1p(count_E) if counted else np.ones(len(count_E))).astype(np.float32)


def ease(items: int) -> Family[Ridge]:
    """Closed-form linear autoencoder; not for catalogues above `MOST_ITEMS`."""

    def fit(learned: Learned, settings: Sequence[Ridge]) -> Iterator[Ease]:
        for setting in settings:
            yield Ease.of(learned, setting)

    return Family("EASE", SETTINGS if items <= _MANY else FEW_SETTINGS, fit)
