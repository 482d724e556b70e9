"""Which visit each row belongs to, and which request."""

from __future__ import annotations

import polars as pl

from shelfwise.data.config import SessionOptions
from shelfwise.schema.event import EventKind, Surface

_MINUTE = 60_000_000  # microseconds


def with_sessions(
    rows: pl.DataFrame, options: SessionOptions, *, timed: bool = True
) -> pl.DataFrame:
    """``session`` as a number within these rows, in the order of owners and first moments.

    A visit is what the log calls one; where it does not say, a pause ends it.

    Args:
        rows: in order, with ``owner, at`` and ``session`` (the log's own, hashed; null: not said).
        options: how long a pause.
        timed: False for a log that knows order alone: nobody can tell a pause in it.
    """
    rows = rows.with_row_index("place")
    said = rows.filter(pl.col("session").is_not_null()).select(
        "place", pl.col("place").first().over("owner", "session").alias("begin")
    )
    found = [said]
    if said.height < rows.height:
        found.append(_by_pauses(rows.filter(pl.col("session").is_null()), options, timed))
    begins = pl.concat(found).sort("place")["begin"]
    # Places of first rows rise with owners and times, so their rank is the number.
    return rows.with_columns((begins.rank("dense").cast(pl.Int64) - 1).alias("session")).drop(
        "place"
    )


def _by_pauses(rows: pl.DataFrame, options: SessionOptions, timed: bool) -> pl.DataFrame:
    gap = int(options.gap_minutes * _MINUTE)
    another = pl.col("owner") != pl.col("owner").shift(1)
    later = (pl.col("at") - pl.col("at").shift(1)) > gap
    begins = (another | (later & timed)).fill_null(True)
    return rows.select("place", pl.when(begins).then("place").forward_fill().alias("begin"))


def with_requests(rows: pl.DataFrame) -> pl.DataFrame:
    """``request_id`` as a number that names one request of one owner; ``request_name`` as logged.

    Impressions that name no request make one together with the others of their owner, moment,
    surface and query; their outcomes find them by the last touch.
    """
    named = pl.struct("owner", "request_id").hash(seed=0)
    # As `occasions` fills it: two lists that end up alike are one.
    surface = (
        pl.col("surface")
        .cast(pl.String)
        .fill_null(
            pl.when(pl.col("query").is_not_null())
            .then(pl.lit(Surface.SEARCH.value))
            .otherwise(pl.lit(Surface.RECOMMENDATION.value))
        )
    )
    unnamed = pl.struct("owner", "at", surface, "query").hash(seed=1)
    shown = pl.col("event") == EventKind.IMPRESSION.value
    number = pl.when(pl.col("request_id").is_not_null()).then(named).when(shown).then(unnamed)
    return rows.with_columns(number.alias("request_id"), pl.col("request_id").alias("request_name"))


def without_repeats(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows in order, and ``file`` of the impressions left out: of an item drawn again at one place
    of one request, the first is kept."""
    shown = pl.col("event") == EventKind.IMPRESSION.value
    places = rows.with_row_index("place")
    drawn = places.filter(shown).select("place", "file", "request_id", "item", "position")
    again = drawn.filter(~pl.struct("request_id", "item", "position").is_first_distinct())
    if again.is_empty():
        return rows, again.select("file")
    kept = places.join(again.select("place"), on="place", how="anti", maintain_order="left")
    return kept.drop("place"), again.select("file")
