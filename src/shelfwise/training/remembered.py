"""What a training worked out that no setting changes, for the next one of the same process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shelfwise.models.neighbours import NeighbourTables
from shelfwise.training.text_bank import TextBank

Key = tuple[object, ...]
_TABLES = 2  # of a fit and of its refit


@dataclass(slots=True)
class Remembered:
    """What frozen layers said of the texts, and what goes with what.

    Trainings that differ in their settings alone ask the same layers for the same texts, and count
    the same neighbours. Only the last ones are kept, so that memory does not grow.
    """

    _bank: tuple[Key, TextBank] | None = None
    _neighbours: dict[Key, NeighbourTables | None] = field(default_factory=dict)

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
