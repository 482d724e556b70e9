"""From rows that could be read to rows that can be learned from: one way to write each text, and
for every event its owner, its moment and its request.

A row that falls away here is counted as the reader would have counted it, and a refused one joins
the rejects with its reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import polars as pl

from shelfwise.data.normalise import normalise
from shelfwise.data.source.checked import REJECT_ROWS, TableCounts
from shelfwise.data.source.read import ShopTables
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a row cannot be used, in the words of the rejects file."""

    column: str
    code: str
    rule: str


_NO_TIME = _Refusal(
    "timestamp", "no-timestamp", "this version orders events by time, so each needs a timestamp"
)
_NO_TEXT = _Refusal("text", "invisible-text", "a text holds something that can be seen")


def clean(tables: ShopTables) -> ShopTables:
    """The tables with texts normalised; events gain ``owner_id`` and lose repeated impressions.

    An owner is the user or, where the log knows none, the session; a session with one user is
    that user's throughout. ``request_id`` names one request of one owner afterwards.

    Raises:
        DataError: the log has events, and none with a timestamp.
    """
    pairs, no_text = _refused(_normalised(tables.pairs, "text"), pl.col("text").is_null(), _NO_TEXT)
    _refuse_without_times(tables.events)
    events, no_time = _refused(
        _normalised(tables.events, "query"), pl.col("timestamp").is_null(), _NO_TIME
    )
    repeated = pl.DataFrame(schema={"file": pl.String})
    if events is not None:
        events, repeated = _without_repeats(_with_requests(_with_owners(events)))
    refused = pl.concat([no_text, no_time])
    return replace(
        tables,
        catalogue=_normalised(tables.catalogue, "title", "category", "brand"),
        events=events,
        campaigns=_normalised(tables.campaigns, "title"),
        pairs=pairs,
        rejects=pl.concat([tables.rejects, refused]),
        counts=_recounted(tables.counts, refused, repeated),
    )


def _normalised(table: pl.DataFrame | None, *columns: str) -> pl.DataFrame | None:
    if table is None:
        return None
    texts = [normalise(table[column]) for column in columns]
    return table.with_columns(text.set(text == "", None) for text in texts)


def _refuse_without_times(events: pl.DataFrame | None) -> None:
    if events is None or len(events) > events["timestamp"].null_count():
        return
    if events.is_empty():
        raise DataError("events: no row was kept; run shelfwise check to see what is wrong")
    raise DataError(
        f"events: none of {len(events):,} rows has a timestamp; {_NO_TIME.rule}. Map a column of "
        "times to timestamp under [events.columns] in shop.toml; where the log has order only, "
        "write a date for each row, and sequence orders the rows of a date"
    )


def _refused(
    table: pl.DataFrame | None, bad: pl.Expr, why: _Refusal
) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """The good rows of a table, and the bad ones as rejects."""
    if table is None:
        return None, pl.DataFrame(schema=REJECT_ROWS)
    rows = table.filter(bad)
    cells = rows.drop("file", "row").iter_rows(named=True)
    raw = [
        json.dumps({k: v for k, v in row.items() if v is not None}, ensure_ascii=False, default=str)
        for row in cells
    ]
    rejects = rows.select(
        "file",
        "row",
        pl.lit(why.column).alias("column"),
        pl.lit(why.code).alias("code"),
        pl.lit("(empty)").alias("found"),
        pl.lit(why.rule).alias("rule"),
        pl.Series("raw", raw, pl.String),
    )
    return table.filter(~bad), rejects


def _recounted(
    counts: tuple[TableCounts, ...], refused: pl.DataFrame, repeated: pl.DataFrame
) -> tuple[TableCounts, ...]:
    """What the reader counted as kept and did not last."""
    lost = dict(refused["file"].value_counts().iter_rows())
    twice = dict(repeated["file"].value_counts().iter_rows())
    return tuple(
        replace(
            count,
            kept=count.kept - lost.get(count.file, 0) - twice.get(count.file, 0),
            rejected=count.rejected + lost.get(count.file, 0),
            duplicates=count.duplicates + twice.get(count.file, 0),
        )
        for count in counts
    )


def _with_owners(events: pl.DataFrame) -> pl.DataFrame:
    users = pl.col("user_id").drop_nulls().unique()
    session_user = (
        events.filter(pl.col("session_id").is_not_null())
        .group_by("session_id")
        .agg(pl.when(users.len() == 1).then(users.first()).alias("session_user"))
    )
    session = pl.concat_str(pl.lit("session:"), "session_id")
    return (
        events.join(session_user, on="session_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("user_id", "session_user", session).alias("owner_id"))
        .drop("session_user")
    )


def _with_requests(events: pl.DataFrame) -> pl.DataFrame:
    """The log's request ids, told apart by owner where owners share one.

    Impressions that name no request make one together with the others of their owner, moment,
    surface and query; their outcomes find them by the last touch.
    """
    named = pl.col("request_id")
    owners = events.filter(named.is_not_null()).group_by("request_id")
    shared = owners.agg(pl.col("owner_id").n_unique().alias("owners"))["owners"].max()
    if isinstance(shared, int) and shared > 1:
        named = pl.concat_str("owner_id", pl.lit("/"), "request_id")
    list_shown = pl.concat_str(
        "owner_id",
        pl.col("timestamp").dt.epoch("us"),
        pl.col("surface").fill_null(""),
        pl.col("query").fill_null(""),
        separator="/",
    )
    is_impression = pl.col("event") == EventKind.IMPRESSION
    return events.with_columns(
        pl.coalesce(named, pl.when(is_impression).then(pl.lit("unnamed:") + list_shown)).alias(
            "request_id"
        )
    )


def _without_repeats(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events, and the impressions left out: of an item drawn again at one place of one request,
    the first is kept."""
    lines = events.with_row_index("line")
    shown = lines.filter(pl.col("event") == EventKind.IMPRESSION).sort("timestamp", "line")
    repeated = shown.filter(~pl.struct("request_id", "item_id", "position").is_first_distinct())
    kept = lines.join(repeated.select("line"), on="line", how="anti", maintain_order="left")
    return kept.drop("line"), repeated
