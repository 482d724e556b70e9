"""How much was logged on each day, and which days stand out.

Shape suffixes in this file: D = days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import log
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.report.thin_log import KINDS, collect

_AROUND = 7  # days to either side that say what is usual
_SPREADS = 4.0  # robust standard deviations that make a day stand out
_FACTOR = 2.0  # and it must be twice, or half, of what is usual
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_FEWEST_WEEKS = 3  # for a statement about a day of the week
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class DayMark:
    """A day that stands out."""

    day: str  # 2026-01-31
    what: Literal["gap", "dip", "spike"]  # a gap has no event at all
    moments: int  # a shopper at one time counts once, however much was seen or done then
    usual: float  # what the days around it, and other such weekdays, lead one to expect
    kind: str = ""  # of the events that stand out; "" for all together


@dataclass(frozen=True, slots=True)
class Days:
    """Events on each day of the log, in the shop's time zone."""

    first: str  # 2026-01-01; the curves hold one number a day from here
    last: str
    zone: str
    rows: dict[str, tuple[int, ...]]  # kind -> events of each day
    marks: tuple[DayMark, ...]
    closed: tuple[str, ...]  # days of the week on which nothing is ever logged
    hours: tuple[int, ...]  # events in each of the 24 hours of the day


def days(thin: pl.LazyFrame, zone: str) -> Days | None:
    """Curves of every kind; None where the log has no times."""
    utc = pl.from_epoch("at", time_unit="us").dt.replace_time_zone("UTC")
    timed = thin.filter(pl.col("at").is_not_null()).with_columns(
        utc.dt.convert_time_zone(zone).alias("local")
    )
    day, hour = pl.col("local").dt.date().alias("day"), pl.col("local").dt.hour().alias("hour")
    counted = collect(timed.group_by("event", day, hour).len())
    if counted.is_empty():
        return None
    first, last = counted["day"].min(), counted["day"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    placed = _placed(counted, first)
    kinds = [kind for kind in KINDS if (placed["event"] == kind).any()]
    curves = {
        kind: _summed(placed.filter(pl.col("event") == kind), "place", (last - first).days + 1)
        for kind in kinds
    }
    marks, closed = _judged(timed.select("event", "owner", "at", day), first, len(curves[kinds[0]]))
    return Days(
        first.isoformat(),
        last.isoformat(),
        zone,
        {kind: tuple(curve.tolist()) for kind, curve in curves.items()},
        marks,
        tuple(WEEKDAYS[day] for day in sorted(closed)),
        tuple(_summed(placed, "hour", 24).tolist()),
    )


def _judged(
    timed: pl.LazyFrame, first: date, length: int
) -> tuple[tuple[DayMark, ...], frozenset[int]]:
    """Days that stand out, of all events and then of each kind alone; and the closed weekdays.

    Moments are counted, since the rows of one request come together: only moments are as
    independent as chance needs.
    """
    together = collect(timed.select("owner", "at", "day").unique().group_by("day").len())
    moments_D = _summed(_placed(together, first), "place", length)
    closed = closed_weekdays(first, moments_D)
    marks = list(day_marks(first, moments_D, closed))
    told = {(mark.day, mark.what) for mark in marks}
    alone = collect(timed.unique().group_by("event", "day").len())
    for kind in KINDS:
        kind_D = _summed(_placed(alone.filter(pl.col("event") == kind), first), "place", length)
        for mark in day_marks(first, kind_D, closed):
            # What is so of all events needs no telling again for each kind of them.
            if (mark.day, mark.what) not in told:
                marks.append(replace(mark, kind=kind))
    return tuple(marks), closed


def _placed(counted: pl.DataFrame, first: date) -> pl.DataFrame:
    return counted.with_columns((pl.col("day") - first).dt.total_days().alias("place"))


def _summed(counted: pl.DataFrame, place: str, length: int) -> NDArray[np.int64]:
    rows = np.zeros(length, np.int64)
    np.add.at(rows, counted[place].to_numpy(), counted["len"].to_numpy())
    return rows


def closed_weekdays(first: date, moments_D: NDArray[np.int64]) -> frozenset[int]:
    """Days of the week (0 is Monday) that came three times at least and never had an event."""
    weekday_D = (first.weekday() + np.arange(len(moments_D))) % 7
    return frozenset(
        day
        for day in range(7)
        if (weekday_D == day).sum() >= _FEWEST_WEEKS and not moments_D[weekday_D == day].any()
    )


def day_marks(
    first: date, moments_D: NDArray[np.int64], closed: frozenset[int]
) -> tuple[DayMark, ...]:
    """Days far from what the week around them leads one to expect.

    Usual is the median of the days with any event among the 15 around a day, times what its
    weekday usually has of such a median. A day stands out where it lies four robust standard
    deviations away (of the log ratios of all days, at least what chance alone gives) and at twice
    or half the usual. The first and the last day are rarely whole, and are not judged.
    """
    weekday_D = (first.weekday() + np.arange(len(moments_D))) % 7
    open_D = ~np.isin(weekday_D, sorted(closed))
    usual_D = _usual(moments_D, weekday_D, open_D)
    ratio_D = np.log((moments_D + 1) / (usual_D + 1))
    spread = float(np.median(np.abs(ratio_D[open_D]))) * _MAD_TO_SIGMA
    reach_D = np.maximum(log(_FACTOR), _SPREADS * np.maximum(spread, 1 / np.sqrt(usual_D + 1)))
    marks = []
    for place in range(1, len(moments_D) - 1):
        if not open_D[place]:
            continue
        moments, ratio, reach = int(moments_D[place]), ratio_D[place], reach_D[place]
        what: Literal["gap", "dip", "spike"] | None = (
            "spike" if ratio > reach else None if ratio >= -reach else "dip" if moments else "gap"
        )
        if what:
            day = (first + timedelta(days=place)).isoformat()
            marks.append(DayMark(day, what, moments, float(usual_D[place])))
    return tuple(marks)


def _usual(
    moments_D: NDArray[np.int64], weekday_D: NDArray[np.int64], open_D: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """``[D]`` events that each day would be expected to have."""
    # A day without events says nothing of what is usual, or a long gap would look like the rule.
    shown_D = np.where(open_D & (moments_D > 0), moments_D, np.nan)
    padded = np.pad(shown_D, _AROUND, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    some_D = ~np.isnan(around).all(1)
    level_D = np.full(
        len(moments_D), np.median(moments_D[moments_D > 0]) if moments_D.any() else 0.0
    )
    level_D[some_D] = np.nanmedian(around[some_D], axis=1)
    factor_D = np.ones(len(moments_D))
    for day in range(7):
        these = (weekday_D == day) & open_D & (moments_D > 0)
        if these.sum() >= _FEWEST_WEEKS:
            usual = float(np.median((moments_D[these] + 1) / (level_D[these] + 1)))
            factor_D[weekday_D == day] = usual
    return level_D * factor_D
