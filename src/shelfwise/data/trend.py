"""How items were doing at each moment of the log: counts and rates from strictly earlier days.

A ranking of October must not know what sold in November, and one of December must not believe
October's bestsellers. So every request is told the state of its own morning.

Shape suffixes in this file: T = days of the log plus one, K = days asked for, V = items,
E = events, G = figures of an item's trend.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.prepared import PreparedShop

# What is told of an item, all as logarithms: times taken ever, in 30 days and in 7; click rate and
# conversion rate against the shop's mean, shrunk to it where little was shown.
FIGURES = 5
_SHOWN_PRIOR = 50  # impressions that the shop's mean counts as
_CLICKED_PRIOR = 20
_MOST_CELLS = 40_000_000  # of the table; longer logs of large catalogues get longer steps


class Trend(NamedTuple):
    """Cumulative counts before each step of time (a day, unless the table would grow too large)."""

    first: int  # microseconds; start of step 0
    step: int  # microseconds
    taken_TV: NDArray[np.float32]
    shown_TV: NDArray[np.float32] | None  # None: the log has no impressions
    clicked_TV: NDArray[np.float32] | None
    bought_TV: NDArray[np.float32] | None

    def step_of(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the step that each time falls in."""
        return ((at - self.first) // self.step).clip(0, len(self.taken_TV) - 1)

    def figures(self, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[K, V, G]`` the trend of every item at the start of each step."""
        taken_KV = self.taken_TV[steps]
        found = [np.log1p(taken_KV)]
        for days in (30, 7):
            earlier = (steps - round(days * DAY / self.step)).clip(0)
            found.append(np.log1p(taken_KV - self.taken_TV[earlier]))
        if self.shown_TV is None or self.clicked_TV is None or self.bought_TV is None:
            found += [np.zeros_like(taken_KV)] * 2
        else:
            shown, clicked, bought = (
                table[steps] for table in (self.shown_TV, self.clicked_TV, self.bought_TV)
            )
            found.append(_log_rate(clicked, shown, _SHOWN_PRIOR))
            found.append(_log_rate(bought, clicked, _CLICKED_PRIOR))
        return np.stack(found, axis=-1).astype(np.float32)


def _log_rate(
    hit_KV: NDArray[np.float32], tried_KV: NDArray[np.float32], prior: float
) -> NDArray[np.float32]:
    """Logarithm of the shrunk rate over the mean rate of that step; 0 is average."""
    mean_K1 = (hit_KV.sum(1, keepdims=True) + 1) / (tried_KV.sum(1, keepdims=True) + 20)
    rate_KV: NDArray[np.float32] = np.log((hit_KV + prior * mean_K1) / (tried_KV + prior) / mean_K1)
    return rate_KV


def trend_of(prepared: PreparedShop) -> Trend:
    """Count the whole log once; a request only ever looks at steps before its own."""
    moments, items = prepared.moments, len(prepared.items)
    days = (moments.end - moments.first) // DAY + 2
    step = DAY * max(1, -(-days * items // _MOST_CELLS))
    steps = (moments.end - moments.first) // step + 2

    def table(item_E: NDArray[np.int64], at_E: NDArray[np.int64]) -> NDArray[np.float32]:
        counts = np.zeros((steps, items), np.float32)
        # What happens in step t is known from step t + 1 on.
        np.add.at(counts, ((at_E - moments.first) // step + 1, item_E), 1)
        return counts.cumsum(axis=0, dtype=np.float32)

    taken = prepared.positives
    shown = prepared.impressions
    if not prepared.has_impressions:
        return Trend(moments.first, step, table(*_columns(taken, "at")), None, None, None)
    return Trend(
        moments.first,
        step,
        table(*_columns(taken, "at")),
        table(*_columns(shown, "at")),
        table(*_columns(shown, "clicked_at")),
        table(*_columns(shown, "purchased_at")),
    )


def _columns(rows: pl.DataFrame, time: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    kept = rows.filter(pl.col(time).is_not_null())
    return kept["item"].cast(pl.Int64).to_numpy(), kept[time].to_numpy()


def trend_at(prepared: PreparedShop, moment: int) -> NDArray[np.float32]:
    """``[V, G]`` the trend as of the step that ``moment`` falls in."""
    trend = trend_of(prepared)
    figures: NDArray[np.float32] = trend.figures(trend.step_of(np.array([moment])))[0]
    return figures
