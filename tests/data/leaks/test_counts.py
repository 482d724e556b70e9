"""Counts that know the future are found by recounting; those that lag behind are none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.leaks.counts import Counted, leaks_in_counts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.trend import trend_of

HOUR = 3_600_000_000
EVENTS = pl.DataFrame({"key": [7, 7, 7, 8], "at": [1, 2, 4, 2]}).with_columns(pl.col("at") * HOUR)


def told(*rows: tuple[int, int, float]) -> pl.DataFrame:
    table = pl.DataFrame(rows, schema=["key", "at", "count"], orient="row")
    return table.with_columns(pl.col("at") * HOUR)


def test_counts_of_the_past_pass() -> None:
    # Strictly before: at hour 2 one event of 7, at hour 3 two; 9 has none.
    rows = told((7, 2, 1), (7, 3, 2), (7, 9, 3), (8, 2, 0), (9, 5, 0))

    assert leaks_in_counts(Counted("views", rows, EVENTS)) == []
    # A count that stopped at the last midnight, say.
    assert leaks_in_counts(Counted("views", told((7, 9, 1)), EVENTS)) == []


def test_a_count_of_its_own_moment_or_of_later_ones_is_refused() -> None:
    rows = told((7, 3, 2), (8, 2, 1), (7, 3, 2.5), (9, 5, 1))

    (leak,) = leaks_in_counts(Counted("views", rows, EVENTS.lazy()))

    assert leak.line() == (
        "  views counts what had not happened yet: rows 3, first: "
        "row 1, key 8, at 1970-01-01 02:00, count 1, happened 0; "
        "row 2, key 7, at 1970-01-01 03:00, count 2.5, happened 2; "
        "row 3, key 9, at 1970-01-01 05:00, count 1, happened 0"
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_against_a_walk_over_the_events(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = pl.DataFrame({"key": rng.integers(0, 3, 30), "at": rng.integers(0, 9, 30)})
    rows = pl.DataFrame(
        {
            "key": rng.integers(0, 4, 20),
            "at": rng.integers(0, 9, 20),
            "count": rng.integers(0, 9, 20),
        }
    )
    walk = [
        sum(1 for key, at in events.rows() if key == own and at < moment) < count
        for own, moment, count in rows.rows()
    ]

    found = leaks_in_counts(Counted("n", rows, events))

    assert sum(leak.rows for leak in found) == sum(walk)


def test_of_many_rows_a_sample_is_recounted() -> None:
    rows = pl.DataFrame({"key": np.zeros(5_000, int), "at": np.arange(5_000), "count": 1})

    # All are wrong, for nothing ever happened; a thousand are looked at.
    (leak,) = leaks_in_counts(Counted("n", rows, EVENTS.clear()))

    assert leak.rows == 1_000


@pytest.mark.parametrize("ahead", [0, 1])
def test_the_trend_of_the_sample_shop(prepared_sample: PreparedShop, ahead: int) -> None:
    """What a request is told of its matches' items; a day ahead, it is refused."""
    trend, positives = trend_of(prepared_sample), prepared_sample.positives
    step_P = trend.step_of(positives["at"].to_numpy()) + ahead
    rows = positives.select(
        pl.col("item").alias("key"),
        "at",
        pl.Series("count", trend.taken_TV[step_P, positives["item"].to_numpy()]),
    )

    found = leaks_in_counts(Counted("taken", rows, positives.rename({"item": "key"})))

    assert (len(found) > 0) == (ahead > 0)
