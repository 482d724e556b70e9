"""How items were doing at each moment of the log: counts and rates from strictly earlier days.

A ranking of October must not know what sold in November, and one of December must not believe
October's bestsellers. So every request is told the state of its own morning.

Shape suffixes in this file: T = days of the log plus one, K = days asked for, V = items,
E = events, G = figures of an item's trend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.part_rows import believed, rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import PARTS, Part

# What is told of an item, all as logarithms: times taken ever, in 30 days and in 7; click rate and
# conversion rate against the shop's mean, shrunk to it where little was shown; shoppers who took it
# for the first time in 30 days and in 7: what many need again is no sign of what others begin.
FIGURES = 7
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
    begun_TV: NDArray[np.float32]  # as taken, but only the first time that an owner took it

    def step_of(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the step that each time falls in."""
        return ((at - self.first) // self.step).clip(0, len(self.taken_TV) - 1)

    def figures(self, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[K, V, G]`` the trend of every item at the start of each step."""
        taken_KV = self.taken_TV[steps]
        found = [np.log1p(taken_KV), *self._lately(self.taken_TV, steps)]
        if self.shown_TV is None or self.clicked_TV is None or self.bought_TV is None:
            found += [np.zeros_like(taken_KV)] * 2
        else:
            shown, clicked, bought = (
                table[steps] for table in (self.shown_TV, self.clicked_TV, self.bought_TV)
            )
            found.append(_log_rate(clicked, shown, _SHOWN_PRIOR))
            found.append(_log_rate(bought, clicked, _CLICKED_PRIOR))
        found += self._lately(self.begun_TV, steps)
        return np.stack(found, axis=-1).astype(np.float32)

    def _lately(
        self, counts_TV: NDArray[np.float32], steps: NDArray[np.int64]
    ) -> list[NDArray[np.float32]]:
        """``[K, V]`` logarithms of what was counted in the 30 and in the 7 days before."""
        starts = [(steps - round(days * DAY / self.step)).clip(0) for days in (30, 7)]
        return [np.log1p(counts_TV[steps] - counts_TV[start]) for start in starts]


def _log_rate(
    hit_KV: NDArray[np.float32], tried_KV: NDArray[np.float32], prior: float
) -> NDArray[np.float32]:
    """Logarithm of the shrunk rate over the mean rate of that step; 0 is average."""
    mean_K1 = (hit_KV.sum(1, keepdims=True) + 1) / (tried_KV.sum(1, keepdims=True) + 20)
    rate_KV: NDArray[np.float32] = np.log((hit_KV + prior * mean_K1) / (tried_KV + prior) / mean_K1)
    return rate_KV


def trend_of(prepared: PreparedShop, parts: Sequence[Part] = PARTS) -> Trend:
    """Count the log of ``parts`` once; a request only ever looks at steps before its own.

    Rows of suspected fraud are not counted.

    Where time parts the split, steps before a part's end are the same with and without what
    follows; elsewhere answers of the test lie between those of training and must not be counted.
    """
    moments, items = prepared.moments, len(prepared.items)
    days = (moments.end - moments.first) // DAY + 2
    step = DAY * max(1, -(-days * items // _MOST_CELLS))
    steps = (moments.end - moments.first) // step + 2

    def table(rows: pl.DataFrame, time: str) -> NDArray[np.float32]:
        counts = np.zeros((steps, items), np.float32)
        # Not every outcome comes, and one after the test's end is asked for by nobody.
        kept = rows.filter(pl.col(time) < moments.end)
        step_E = (kept[time].to_numpy() - moments.first) // step
        # What happens in step t is known from step t + 1 on.
        np.add.at(counts, (step_E + 1, kept["item"].cast(pl.Int64).to_numpy()), 1)
        return counts.cumsum(axis=0, dtype=np.float32)

    positives = believed(rows_of_parts(prepared, prepared.positives, parts))
    taken, begun = table(positives, "at"), table(_first_takes(prepared, positives), "at")
    if not prepared.has_impressions:
        return Trend(moments.first, step, taken, None, None, None, begun)
    shown = believed(rows_of_parts(prepared, prepared.impressions, parts))
    return Trend(
        moments.first,
        step,
        taken,
        table(shown, "at"),
        table(shown, "clicked_at"),
        table(shown, "purchased_at"),
        begun,
    )


def _first_takes(prepared: PreparedShop, positives: pl.DataFrame) -> pl.DataFrame:
    """The first time each owner took each item."""
    owner_R = prepared.requests["owner"]
    owner = owner_R.gather(positives["request"].cast(pl.Int64)).alias("owner")
    return positives.with_columns(owner).group_by("owner", "item").agg(pl.col("at").min())


def trend_at(
    prepared: PreparedShop, moment: int, parts: Sequence[Part] = PARTS
) -> NDArray[np.float32]:
    """``[V, G]`` the trend of ``parts`` as of the step that ``moment`` falls in."""
    trend = trend_of(prepared, parts)
    figures: NDArray[np.float32] = trend.figures(trend.step_of(np.array([moment])))[0]
    return figures
