"""Batches of a trainer that knows no time limit.

Run by a peer's own interpreter, beside its script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contest import Pace


@dataclass
class Until:
    """Batches as long as there is time; one is given in any case."""

    batches: Iterable[Any]
    pace: Pace
    stopped: bool = False

    def __iter__(self) -> Iterator[Any]:
        for batch in self.batches:
            yield batch
            if self.pace.is_over():
                self.stopped = True
                return
