"""Checked events as the reader hands them over, by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from shelfwise.data.report.thin_log import thin_log

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SCHEMA = pl.Schema(
    {
        "event": pl.String,
        "user_id": pl.String,
        "session_id": pl.String,
        "item_id": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
        "surface": pl.String,
    }
)


def did(event: str, user: str | None, hours: float | None = 0, item: str | None = None,
        **more: Any) -> dict[str, Any]:  # fmt: skip
    """One event, so many hours after midnight of a Monday; ``hours`` None: without a time."""
    at = None if hours is None else MONDAY + timedelta(hours=hours)
    return {"event": event, "user_id": user, "item_id": item, "timestamp": at, **more}


def events(rows: Iterable[Mapping[str, Any]]) -> pl.LazyFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA).lazy()


def thin(rows: Iterable[Mapping[str, Any]]) -> pl.LazyFrame:
    return thin_log(events(rows))
