"""A sound small log, and ways to plant a leak in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from shelfwise.data.config import SplitOptions
from shelfwise.data.history import History, ends_before
from shelfwise.data.leakage import Made, refuse_leaks
from shelfwise.data.parts import Asked
from shelfwise.data.split import Moments
from shelfwise.schema.errors import DataError

HOUR = 3_600_000_000

# Owner 0 acts at hours 1, 2 and 3; owner 1 at hour 2.
HISTORY = History(
    np.array([0, 3, 4]),
    np.arange(4, dtype=np.int32),
    np.full(4, -1, np.int32),
    np.ones(4, np.uint8),
    np.array([1, 2, 3, 2]) * HOUR,
)
REQUESTS = pl.DataFrame(
    {
        "request": [0, 1, 2],
        "request_id": ["a", "b", None],
        "owner": [0, 1, 1],
        "at": [3 * HOUR, 3 * HOUR, 4 * HOUR],
        "sequence": [None, None, 5],
        "query": [None, 0, None],
        "part": ["train", "train", "test"],
    },
    schema_overrides={"request": pl.UInt32},
)
IMPRESSIONS = pl.DataFrame(
    {
        "request": [0, 0, 1],
        "item": [1, 2, 1],
        "position": [1, None, None],
        "at": [3 * HOUR, 3 * HOUR, 3 * HOUR],
        "clicked_at": [3 * HOUR, 5 * HOUR, None],
        "purchased_at": [None, 6 * HOUR, None],
    },
    schema_overrides={"request": pl.UInt32},
)
POSITIVES = pl.DataFrame(
    {"request": [0, 2], "item": [1, 2], "kind": ["click", "click"], "at": [3 * HOUR, 4 * HOUR]},
    schema_overrides={"request": pl.UInt32},
)
ENDS = ends_before(HISTORY, REQUESTS["owner"].to_numpy(), REQUESTS["at"].to_numpy())
# By their sha256 foo and hello train, bar is the test, foobar validates.
ITEMS = pl.DataFrame({"item_id": ["foo", "hello", "bar", "foobar"]})
QUERIES = pl.DataFrame({"text": ["foo", "bar"]})
MOMENTS = Moments(HOUR, 4 * HOUR - 1, 4 * HOUR, 9 * HOUR)


def planted(table: pl.DataFrame, row: int, **values: Any) -> pl.DataFrame:
    """The table with some values of a row replaced."""
    return table.with_columns(
        pl.when(pl.int_range(pl.len()) == row)
        .then(pl.lit(value, table.schema[name]))
        .otherwise(pl.col(name))
        .alias(name)
        for name, value in values.items()
    )


def made(ends: list[int] | None = None, split: str = "time", **tables: pl.DataFrame) -> Made:
    """The sound log with some of its tables replaced."""
    sound = {"requests": REQUESTS, "impressions": IMPRESSIONS, "positives": POSITIVES}
    return Made(
        HISTORY,
        ENDS if ends is None else np.array(ends, np.int64),
        Asked(**(sound | tables), items=ITEMS, queries=QUERIES),
        MOMENTS if split == "time" else Moments(HOUR, 9 * HOUR, 9 * HOUR, 9 * HOUR),
        SplitOptions(kind=split),
    )


def refusal(what: Made) -> list[str]:
    """The lines of the guard's message, one a kind of leak."""
    with pytest.raises(DataError, match="leakage guard") as caught:
        refuse_leaks(what)
    return str(caught.value).splitlines()[1:]
