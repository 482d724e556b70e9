"""What a baseline is: a family of settings, learned from behaviour, that scores every item.

Shape suffixes in these files: T = targets (requests judged), B = targets of a block, V = items,
U = owners, E = events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.history import History
from shelfwise.data.targets import MatchTargets
from shelfwise.retrieval.taken import Taken


class Learned(NamedTuple):
    """What a baseline may look at: behaviour to learn from, and histories to look up."""

    history: History
    kinds: NDArray[np.uint8]  # behaviours that count as a match
    taken: Taken
    until: int  # microseconds; when the behaviour it learns from ended


class Fitted(Protocol):
    """Scores the whole catalogue for chosen targets."""

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]`` higher means ranked earlier."""


class Setting(Protocol):
    """What validation chooses among: a NamedTuple of numbers and flags."""

    def _asdict(self) -> dict[str, Any]: ...


S = TypeVar("S", bound=Setting)


@dataclass(frozen=True, slots=True)
class Family(Generic[S]):
    """A kind of baseline, and the settings that validation chooses among.

    ``fit`` learns one ranker for each setting it is handed, in that order and one at a time, and
    does the work that settings share once.
    """

    name: str
    settings: tuple[S, ...]  # the first is used where validation cannot say
    fit: Callable[[Learned, Sequence[S]], Iterator[Fitted]]
    repeats: bool = False  # chosen where what was taken before may be right again
