"""A report with every section, of a log small enough to count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.report.flagged import FlagExample, Flagged, FlaggedKind, FlagRule
from shelfwise.data.report.funnel import SurfaceFunnel
from shelfwise.data.report.parts import PartRows
from shelfwise.data.report.rate import rate
from shelfwise.data.report.report import DataReport, Prepared, ReportTables, data_report
from shelfwise.data.report.weighing import WeightShare
from shelfwise.data.source import TableCounts
from shelfwise.schema.columns import CATALOGUE, EVENTS, JUDGEMENTS, PAIRS, Column

from .events import MONDAY, did

REJECTS = pl.Schema(
    {
        "file": pl.String,
        "row": pl.Int64,
        "column": pl.String,
        "code": pl.String,
        "found": pl.String,
        "rule": pl.String,
    }
)
_TYPES = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "time": pl.Datetime("us", "UTC"),
    "flag": pl.Boolean(),
}


def table(columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Checked rows with every column of their table."""
    return pl.DataFrame(rows, schema={column.name: _TYPES[column.type] for column in columns})


def log_table(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    return table(EVENTS, rows).lazy()


BARE = ReportTables(None, None, None, None, None, (), pl.DataFrame(schema=REJECTS), 0)

LOG = [
    did("impression", "u1", 1, "i1", surface="search", request_id="r", position=1),
    did("impression", "u1", 1, "i2", surface="search", request_id="r", position=2),
    did("click", "u1", 1.1, "i1", surface="search", request_id="r"),
    did("purchase", "u1", 2, "i1"),
    did("view", "u2", 100, "i2"),
]


def small_tables(title: str = "Blue linen mug") -> ReportTables:
    """Five events, three items, two refused rows, one repeated."""
    items = [
        {"item_id": "i1", "title": title, "price": 3.0, "category": "Home|Mugs"},
        {"item_id": "i2", "title": "Blue linen mugs", "price": 4.0, "category": "Home > Mugs"},
        {"item_id": "i3", "title": None, "price": 0.0, "category": "TV/Video"},
    ]
    rejects = [
        ("events.csv", 3, "item_id", "unknown-item", title, "an event's item is in the catalogue"),
        ("events.csv", 4, "user_id", "control-character", "u\x07", "an id is plain text"),
    ]
    return ReportTables(
        events=log_table(LOG),
        catalogue=table(CATALOGUE, items),
        campaigns=None,
        judgements=table(JUDGEMENTS, [{"query": "mug", "item_id": "i1", "grade": 2.0}]),
        pairs=table(PAIRS, [{"text": "t", "label": "a"}, {"text": "t", "label": "b"}]),
        counts=(TableCounts("events.csv", 8, 5, 2, 1), TableCounts("catalogue.csv", 3, 3, 0, 0)),
        rejects=pl.DataFrame(rejects, schema=REJECTS, orient="row"),
        faults=2,
        notes=(f"Mind {title}",),
    )


def small_report(title: str = "Blue linen mug") -> DataReport:
    """Everything there can be, what preparation tells included."""
    options = DataOptions.model_validate(
        {
            "shop": {"name": f"Shop of {title}", "synthetic": True, "currency": "GBP"},
            "events": {"latest": MONDAY.replace(month=6)},
        }
    )
    prepared = Prepared(
        surfaces=(SurfaceFunnel("search", 2, rate(1, 2), rate(1, 1), rate(0, 1)),),
        parts=(
            PartRows("train", "2026-01-05 01:00", "2026-01-05 02:00", 1_200, 2, 2, 1, 1, 800),
            PartRows("test", "2026-01-09 01:00", "2026-01-09 04:00", 30, 2, 0, 0, 0, 40),
        ),
        flagged=Flagged(
            (FlaggedKind("owner", 1, 3),),
            (FlagRule("owner", "round the clock", 1, 3),),
            (FlagExample("owner", 0.93, 3, f"awake in 24 of 24 hours, {title}"),),
            rate(1, 40),
        ),
        weights=(WeightShare("item", "head", 1, 3, 0.6, 0.4),),
    )
    return replace(data_report(small_tables(title), options), prepared=prepared)
