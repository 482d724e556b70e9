"""How long after the last touch a purchase comes, and what the attribution window makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.report.rate import Rate, rate
from shelfwise.data.report.spread import Spread, spread
from shelfwise.data.report.thin_log import collect
from shelfwise.schema.event import EventKind

_HOUR = 3_600_000_000  # microseconds
_TOUCHES = (EventKind.CLICK, EventKind.VIEW, EventKind.IMPRESSION)
_MARKS = (1 / 6, 1.0, 6.0, 24.0, 72.0, 168.0, 336.0, 720.0)  # hours, of the curve


@dataclass(frozen=True, slots=True)
class Delays:
    """Purchases against the last touch of the same shopper and item before them."""

    touch: str  # the kind of event that counts as a touch
    purchases: int
    touched: Rate  # have a touch before them at all
    hours: Spread  # from touch to purchase
    within_window: Rate  # of those touched
    window_days: float
    curve: tuple[tuple[float, float], ...]  # hours -> share of the touched bought by then
    touches: int
    still_open: Rate  # touches so young at the log's end that their window is open: unknown


def delays(thin: pl.LazyFrame, window_days: float) -> Delays | None:
    """None where the log has no times, no purchases or no touches."""
    timed = thin.filter(pl.col("at").is_not_null() & pl.col("item_id").is_not_null())
    found = set(collect(thin.select(pl.col("event").unique()))["event"])
    touch = next((kind for kind in _TOUCHES if kind in found), None)
    if touch is None or EventKind.PURCHASE not in found:
        return None
    pair = ["owner", "item_id"]
    bought = timed.filter(pl.col("event") == EventKind.PURCHASE).select(*pair, "at")
    touches = timed.filter(pl.col("event") == touch).select(*pair, "at")
    paired = collect(
        bought.sort("at").join_asof(
            touches.with_columns(pl.col("at").alias("touched_at")).sort("at"),
            on="at",
            by=pair,
            strategy="backward",
            check_sortedness=False,
        )
    )
    if paired.is_empty():
        return None
    end = collect(timed.select(pl.col("at").max())).item()
    window = int(window_days * 24 * _HOUR)
    young = collect(touches.select((pl.col("at") > end - window).sum(), pl.len().alias("all")))
    hours = (paired["at"] - paired["touched_at"]).drop_nulls().to_numpy() / _HOUR
    return Delays(
        str(touch),
        len(paired),
        rate(len(hours), len(paired)),
        spread(hours),
        rate(int((hours <= window_days * 24).sum()), len(hours)),
        window_days,
        tuple((mark, float((hours <= mark).mean())) for mark in _MARKS) if len(hours) else (),
        young["all"].item(),
        rate(young["at"].item(), young["all"].item()),
    )
