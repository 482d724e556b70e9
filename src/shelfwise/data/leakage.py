"""The guard that refuses a prepared log in which the future can be seen.

It looks at what was *made*, not at how: whoever changes attribution, histories or features is told
here, by row, when an answer slipped in front of its question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.config import SplitOptions
from shelfwise.data.history import History
from shelfwise.data.leaks.counts import Counted, leaks_in_counts
from shelfwise.data.leaks.labels import Offered, leaks_from_labels
from shelfwise.data.leaks.leak import Leak, joined
from shelfwise.data.leaks.negatives import Passed, leaks_in_negatives
from shelfwise.data.leaks.order import leaks_in_order
from shelfwise.data.leaks.parts import leaks_between_parts
from shelfwise.data.occasions import Occasions
from shelfwise.data.parts import Asked
from shelfwise.data.split import Moments
from shelfwise.schema.errors import DataError


@dataclass(frozen=True, slots=True)
class Made:
    """What preparation made of a log, and what it was made from."""

    history: History
    history_end_R: NDArray[np.int64]  # of each request
    asked: Asked  # requests with their parts, impressions, positives; items and queries
    moments: Moments
    split: SplitOptions
    offered: tuple[Offered, ...] = ()  # rows with features and labels
    counted: tuple[Counted, ...] = ()  # point-in-time counts beside their raw events
    passed: tuple[Passed, ...] = ()  # negatives


def refuse_leaks(made: Made) -> None:
    """Raise one DataError naming every kind of leak found and its first rows."""
    found = find_leaks(made)
    if found:
        lines = [leak.line() for leak in found]
        raise DataError("\n".join(["leakage guard: the prepared log is refused:", *lines]))


def find_leaks(made: Made) -> list[Leak]:
    """Every kind of leak there is."""
    occasions = Occasions(made.asked.requests, made.asked.impressions, made.asked.positives)
    return joined(
        [
            leaks_in_order(made.history, occasions, made.history_end_R),
            leaks_between_parts(made.asked, made.moments, made.split),
            *(leaks_from_labels(offered) for offered in made.offered),
            *(leaks_in_counts(counted) for counted in made.counted),
            *(leaks_in_negatives(passed) for passed in made.passed),
        ]
    )
