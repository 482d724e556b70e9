"""From a log to one row per unit: its arm, and what each metric sums, before and in the test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind


@dataclass(frozen=True, slots=True)
class Metric:
    """A ratio of two sums over units."""

    name: str
    above: str
    below: str
    meaning: str


METRICS = (
    Metric("ctr", "clicks", "impressions", "clicks per impression"),
    Metric("conversion", "purchases", "clicks", "purchases per click"),
    Metric("purchases_per_session", "purchases", "sessions", "purchases per session"),
    Metric("revenue_per_session", "revenue", "sessions", "revenue per session"),
    Metric("revenue_per_user", "revenue", "one", "revenue per user"),
)
_SUMS = ("impressions", "clicks", "purchases", "revenue", "sessions")


@dataclass(frozen=True, slots=True)
class Units:
    """Everybody in the test, and who was left out."""

    table: pl.DataFrame  # unit, arm, the sums, and the same before the test: before_NAME
    in_two_arms: int  # units left out: they saw both
    without_arm: int  # units of the test's time that no row gives an arm
    nobodys_rows: int  # left out: neither user nor visit is known
    undated_rows: int  # left out: nothing says whether they are of the test's time
    unpriced: int  # purchases in the test whose price is not known; their revenue counts as 0
    has_before: bool

    def metrics(self) -> list[Metric]:
        """Those of which the log holds both sums."""
        held = {name for name in _SUMS if float(self.table[name].sum()) > 0} | {"one"}
        return [metric for metric in METRICS if {metric.above, metric.below} <= held]


def units_of(events: pl.DataFrame, arm: str, start: datetime | None) -> Units:
    """One row per user (or visit, where the user is unknown) with an arm.

    Args:
        events: columns ``event``, ``user_id`` or ``session_id``, and ``arm``; where there are any,
            ``timestamp``, ``price``, ``quantity``.
        arm: the column that says which arm a row belongs to; some of a unit's rows may lack it.
        start: first moment of the test; what came before serves CUPED. None: all is the test.

    Raises:
        DataError: a column that is needed is missing, or no unit has an arm.
    """
    everything = _rows(events, arm, start)
    rows = everything.filter(pl.col("unit").is_not_null())
    inside = rows.filter(~pl.col("before"))
    arms = inside.group_by("unit").agg(
        pl.col("arm").drop_nulls().n_unique().alias("arms"), pl.col("arm").drop_nulls().first()
    )
    kept = arms.filter(pl.col("arms") == 1).select("unit", "arm")
    if kept.is_empty():
        raise DataError(f"column {arm}: no unit of the test's time has exactly one arm")
    table = kept.join(_sums(inside), on="unit", how="left")
    before = _sums(rows.filter("before")).rename({name: f"before_{name}" for name in _SUMS})
    table = table.join(before, on="unit", how="left").fill_null(0)
    return Units(
        table.sort("arm", "unit").with_columns(pl.lit(1.0).alias("one")),
        in_two_arms=int((arms["arms"] > 1).sum()),
        without_arm=int((arms["arms"] == 0).sum()),
        nobodys_rows=everything["unit"].null_count(),
        undated_rows=rows["before"].null_count(),
        unpriced=int(inside.filter(_is_bought(), pl.col("paid").is_null())["unit"].len()),
        has_before=len(before) > 0,
    )


def _rows(events: pl.DataFrame, arm: str, start: datetime | None) -> pl.DataFrame:
    needed = ["event", arm] + (["timestamp"] if start is not None else [])
    missing = [name for name in needed if name not in events.columns]
    who = [name for name in ("user_id", "session_id") if name in events.columns]
    if not who:
        missing.append("user_id or session_id")
    if missing:
        raise DataError(
            f"the log lacks the column {', '.join(missing)}; it has {', '.join(events.columns)}"
        )

    def told(name: str) -> pl.Expr:
        return pl.col(name) if name in events.columns else pl.lit(None).alias(name)

    before = pl.lit(False) if start is None else pl.col("timestamp") < start
    session = pl.col("session_id") if "session_id" in who else pl.lit(None, pl.String)
    return events.select(
        pl.coalesce(*(pl.col(name).cast(pl.String) for name in who)).alias("unit"),
        session.cast(pl.String).fill_null("").alias("session"),
        pl.col(arm).cast(pl.String).alias("arm"),
        pl.col("event").cast(pl.String),
        before.alias("before"),
        (told("price").cast(pl.Float64) * told("quantity").cast(pl.Float64).fill_null(1.0)).alias(
            "paid"
        ),
    )


def _is_bought() -> pl.Expr:
    return pl.col("event") == EventKind.PURCHASE.value


def _sums(rows: pl.DataFrame) -> pl.DataFrame:
    def count(kind: EventKind) -> pl.Expr:
        return (pl.col("event") == kind.value).sum().cast(pl.Float64)

    return rows.group_by("unit").agg(
        count(EventKind.IMPRESSION).alias("impressions"),
        count(EventKind.CLICK).alias("clicks"),
        count(EventKind.PURCHASE).alias("purchases"),
        pl.col("paid").filter(_is_bought()).sum().alias("revenue"),
        pl.col("session").n_unique().cast(pl.Float64).alias("sessions"),
    )
