"""The same list for everybody: what was taken most, ever or of late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.role import Family, Learned


class Ever(NamedTuple):
    """Nothing to choose: all behaviour counts alike."""


class LastDays(NamedTuple):
    """How far back one looks from the moment that learning ended."""

    days: int


EVER = (Ever(),)
WINDOWS = tuple(LastDays(days) for days in (30, 1, 3, 7, 14, 60, 90, 180))


@dataclass(frozen=True, slots=True)
class Popularity:
    """Number of times an item was taken."""

    count_V: NDArray[np.float32]

    @classmethod
    def since(cls, learned: Learned, moment: int) -> Popularity:
        """Count the behaviour at or after ``moment`` (microseconds)."""
        taken = learned.taken
        late_E = taken.at_E >= moment
        count_V = np.bincount(taken.item_E[late_E], minlength=taken.items)
        return cls(count_V.astype(np.float32))

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:  # noqa: ARG002
        """The same counts for every target."""
        return np.broadcast_to(self.count_V, (len(rows), len(self.count_V)))


def of_all_time() -> Family[Ever]:
    """What was taken most, whenever."""

    def fit(learned: Learned, settings: Sequence[Ever]) -> Iterator[Popularity]:
        for _ in settings:
            yield Popularity.since(learned, np.iinfo(np.int64).min)

    return Family("popularity", EVER, fit)


def of_late(longest: float) -> Family[LastDays]:
    """What was taken most in the last days before the test; ``longest``: days one can look back."""
    windows = tuple(setting for setting in WINDOWS if setting.days < longest)

    def fit(learned: Learned, settings: Sequence[LastDays]) -> Iterator[Popularity]:
        for setting in settings:
            yield Popularity.since(learned, learned.until - setting.days * DAY)

    return Family("recent popularity", windows, fit)
