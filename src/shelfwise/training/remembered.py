"""What a training worked out that no setting changes, for the next one of the same process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shelfwise.models.neighbours import NeighbourTables
from shelfwise.training.text_bank import TextBank

Key = tuple[object, ...]
_TABLES = 2  # of a fit and of its refit


@dataclass(slots=True)
class Remembered:
    """What frozen layers said of the texts, what goes with what, and which words pairs share.

    Trainings that differ in their settings alone ask the same layers for the same texts, and count
    the same neighbours and words. Only the last ones are kept, so that memory does not grow.
    """

    _bank: tuple[Key, TextBank] | None = None
    _neighbours: dict[Key, NeighbourTables | None] = field(default_factory=dict)
    _words: tuple[Key, NDArray[np.float32]] | None = None

    def bank(self, key: Key) -> TextBank | None:
        """The last bank, if it was of the same texts and frozen layers."""
        return self._bank[1] if self._bank is not None and self._bank[0] == key else None

    def keep_bank(self, key: Key, bank: TextBank) -> None:
        """Remember a bank in place of the last."""
        self._bank = (key, bank)

    def neighbours(
        self, key: Key, made: Callable[[], NeighbourTables | None]
    ) -> NeighbourTables | None:
        """Tables of neighbours, made only if they are others than the last two."""
        if key not in self._neighbours:
            if len(self._neighbours) == _TABLES:
                self._neighbours.pop(next(iter(self._neighbours)))
            self._neighbours[key] = made()
        return self._neighbours[key]

    def words(self, key: Key, made: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Figures of the words that judged pairs share, made only if the last were of others."""
        if self._words is None or self._words[0] != key:
            self._words = (key, made())
        return self._words[1]
