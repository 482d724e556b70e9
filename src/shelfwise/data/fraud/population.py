"""What is usual in this shop: a robust centre and spread of every figure, for rules to measure by.

A median and a median deviation stay where they are while fewer than half of the actors are
machines. Figures that are rates or counts are looked at as logarithms: twice as fast is as far
from the middle as half as fast.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.fraud.options import FraudOptions

NIGHT_HOURS = 6
_DAY_HOURS = 24
_FEWEST = 20  # actors that make a population; with fewer nothing is unusual
_MAD_TO_SD = 1.4826  # of a normal distribution

# Figure: how it is put on a scale of equal steps, and the least spread believed, on that scale.
# The least spread keeps a shop of look-alikes from calling the slightly different odd.
_SCALES: dict[str, tuple[str, float]] = {
    "pace": ("log", 0.3),
    "most_in_hour": ("log", 0.3),
    "click_through": ("logit", 0.3),
    "owners": ("log", 0.3),
    "gap_variation": ("plain", 0.05),
    "equal_gaps": ("plain", 0.05),
    "hasty": ("plain", 0.05),
    "hours_in_day": ("plain", 1.0),
    "top_item": ("plain", 0.05),
    "top_category": ("plain", 0.15),  # categories are coarse or fine as the shop likes
    "distinct_items": ("plain", 0.05),
    "night": ("plain", 0.05),
}
FIGURES = tuple(_SCALES)
# Rates are compared with everybody who did a little, so that a shop whose people come seldom does
# not measure its machines by each other; shares need as many acts as those they judge, for among
# five clicks one is a fifth.
_RATES = ("pace", "most_in_hour", "owners")
_A_LITTLE = 5  # acts


@dataclass(frozen=True, slots=True)
class Population:
    """Medians of the figures, on their own scale, and the share of views that end in a purchase."""

    actors: int  # that the medians rest on
    median: dict[str, float | None]  # None: the log cannot tell, or too few actors
    spread: dict[str, float]
    purchases_per_taken: float

    def spreads_above(self, figure: str, value: pl.Expr | None = None) -> pl.Expr:
        """How many robust standard deviations ``value`` (the figure itself) lies above the median.

        Null where the figure is unknown or the population is.
        """
        median = self.median[figure]
        if median is None:
            return pl.lit(None, pl.Float64)
        found = _scaled(figure, pl.col(figure) if value is None else value)
        return (found - _scaled_number(figure, median)) / self.spread[figure]

    def above(self, figure: str) -> pl.Expr:
        """Plain distance above the median; null where either is unknown."""
        return pl.col(figure) - pl.lit(self.median[figure], pl.Float64)


def with_night(features: pl.DataFrame) -> pl.DataFrame:
    """Add ``night``: share of active hours in the six hours of the day when the shop is quietest.

    So no time zone need be known.
    """
    by_hour = features["by_hour"]
    totals = [by_hour.arr.get(hour).sum() for hour in range(_DAY_HOURS)]
    nights = [
        [(first + step) % _DAY_HOURS for step in range(NIGHT_HOURS)] for first in range(_DAY_HOURS)
    ]
    night = min(nights, key=lambda hours: sum(totals[hour] for hour in hours))
    at_night = pl.sum_horizontal(pl.col("by_hour").arr.get(hour) for hour in night)
    return features.with_columns((at_night / pl.col("active_hours")).alias("night"))


def population_of(features: pl.DataFrame, options: FraudOptions) -> Population:
    """Measure the actors that have done enough to be judged.

    Args:
        features: of one kind of actor, with ``night``.
        options: says how much is enough.
    """
    judged = features.filter(pl.col("acts") >= options.min_acts)
    active = features.filter(pl.col("acts") >= _A_LITTLE)
    median, spread = {}, {}
    for name in FIGURES:
        values = (active if name in _RATES else judged)[name].drop_nulls()
        median[name], spread[name] = _middle(name, values)
    purchases, taken = judged.select(pl.col("purchases", "taken").sum()).row(0)
    return Population(
        actors=len(judged),
        median=median,
        spread=spread,
        purchases_per_taken=purchases / taken if taken else 0.0,
    )


def _middle(name: str, values: pl.Series) -> tuple[float | None, float]:
    """Median on the figure's own scale and spread on the even one."""
    least = _SCALES[name][1]
    if len(values) < _FEWEST:
        return None, least
    figure, even = pl.col(name), _scaled(name, pl.col(name))
    median, off = (
        values.to_frame(name)
        .select(figure.median().alias("median"), (even - even.median()).abs().median().alias("off"))
        .row(0)
    )
    return median, max(_MAD_TO_SD * off, least)


def _scaled(name: str, value: pl.Expr) -> pl.Expr:
    scale = _SCALES[name][0]
    if scale == "log":
        return value.clip(lower_bound=1e-9).log()
    if scale == "logit":
        inside = value.clip(1e-3, 1 - 1e-3)
        return inside.log() - (1 - inside).log()
    return value


def _scaled_number(name: str, value: float) -> float:
    return float(pl.select(_scaled(name, pl.lit(value))).item())
