"""How long visits and histories are: how much there is to learn a shopper from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from shelfwise.data.report.spread import Spread, histogram, spread
from shelfwise.data.report.thin_log import collect
from shelfwise.schema.event import EventKind

_MINUTE = 60_000_000  # microseconds
LENGTHS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits (pauses of ``gap_minutes`` part them) and whole histories, without impressions."""

    gap_minutes: float
    events: Spread  # of a visit
    minutes: Spread  # from a visit's first event to its last; visits of one event are left out
    per_owner: Spread  # visits of a shopper
    history: Spread  # events of a shopper
    history_lengths: dict[str, int]  # "5 to 9" -> shoppers


def visits(thin: pl.LazyFrame, gap_minutes: float) -> Visits | None:
    """None where nothing but impressions is logged, or no times are."""
    acts = collect(
        thin.filter((pl.col("event") != EventKind.IMPRESSION) & pl.col("at").is_not_null())
        .select("owner", "at")
        .sort("owner", "at")
    )
    if acts.is_empty():
        return None
    owner, at = acts["owner"].to_numpy(), acts["at"].to_numpy()
    of_another = np.concatenate([[True], owner[1:] != owner[:-1]])
    starts = of_another | np.concatenate([[True], np.diff(at) > gap_minutes * _MINUTE])
    first = np.flatnonzero(starts)
    length = np.diff(np.append(first, len(at)))
    minutes = (at[first + length - 1] - at[first]) / _MINUTE
    history = np.diff(np.append(np.flatnonzero(of_another), len(at)))
    per_owner = np.add.reduceat(starts.astype(np.int64), np.flatnonzero(of_another))
    return Visits(
        gap_minutes,
        spread(length),
        spread(minutes[length > 1]),
        spread(per_owner),
        spread(history),
        dict(zip(_names(LENGTHS), histogram(history, LENGTHS), strict=True)),
    )


def _names(edges: tuple[float, ...]) -> list[str]:
    names = [
        f"{low:.0f}" if high - low == 1 else f"{low:.0f} to {high - 1:.0f}"
        for low, high in pairwise(edges)
    ]
    return [*names, f"{edges[-1]:.0f} and more"]
