"""Every planted leak is refused and its request named; what `prepare` makes passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from shelfwise.data.history import History, ends_before
from shelfwise.data.leakage import refuse_leaks
from shelfwise.data.occasions import Occasions
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


def planted(table: pl.DataFrame, row: int, **values: Any) -> pl.DataFrame:
    """The table with some values of a row replaced."""
    return table.with_columns(
        pl.when(pl.int_range(pl.len()) == row)
        .then(pl.lit(value, table.schema[name]))
        .otherwise(pl.col(name))
        .alias(name)
        for name, value in values.items()
    )


def refusal(ends: list[int] | None = None, **tables: pl.DataFrame) -> list[str]:
    sound = {"requests": REQUESTS, "impressions": IMPRESSIONS, "positives": POSITIVES}
    occasions = Occasions(**(sound | tables))
    with pytest.raises(DataError, match="leakage guard") as caught:
        refuse_leaks(HISTORY, occasions, ENDS if ends is None else np.array(ends))
    return str(caught.value).splitlines()[1:]


REQUEST_A = "number 0 at 1970-01-01 03:00, request_id a"
REQUEST_B = "number 1 at 1970-01-01 03:00, request_id b"


def test_a_clean_log_passes() -> None:
    assert ENDS.tolist() == [2, 4, 4]
    refuse_leaks(HISTORY, Occasions(REQUESTS, IMPRESSIONS, POSITIVES), ENDS)


def test_an_empty_log_passes() -> None:
    nothing = Occasions(REQUESTS.clear(), IMPRESSIONS.clear(), POSITIVES.clear())

    refuse_leaks(HISTORY, nothing, np.zeros(0, np.int64))


def test_an_event_at_the_requests_own_time_is_in_its_history() -> None:
    assert refusal([3, 4, 4]) == [
        f"  history reaches the request's own time or beyond: requests 1, first: {REQUEST_A}"
    ]


def test_where_a_sequence_orders_one_time_stamp_times_may_be_equal() -> None:
    same_time = planted(REQUESTS, 2, at=2 * HOUR)
    occasions = Occasions(same_time, IMPRESSIONS, planted(POSITIVES, 1, at=2 * HOUR))

    refuse_leaks(HISTORY, occasions, ENDS)

    earlier = planted(REQUESTS, 2, at=2 * HOUR - 1)
    assert refusal(requests=earlier)[0].endswith("first: number 2 at 1970-01-01 01:59")


@pytest.mark.parametrize("end", [2, 5, -1])
def test_a_history_that_runs_into_anothers_events(end: int) -> None:
    assert refusal([2, end, 4]) == [
        f"  history runs into another owner's events: requests 1, first: {REQUEST_B}"
    ]


def test_a_request_in_two_parts() -> None:
    both = planted(REQUESTS, 1, request_id="a", part="test")

    assert refusal(requests=both) == [
        f"  a request straddles the split: requests 1, first: {REQUEST_A}"
    ]


def test_an_impression_told_twice() -> None:
    again = planted(IMPRESSIONS, 0, item=2, position=None)

    assert refusal(impressions=again) == [
        f"  the same impression stands twice: requests 1, first: {REQUEST_A}"
    ]


@pytest.mark.parametrize("column", ["clicked_at", "purchased_at"])
def test_an_outcome_before_its_impression(column: str) -> None:
    early = planted(IMPRESSIONS, 2, **{column: 3 * HOUR - 1})

    assert refusal(impressions=early) == [
        f"  an outcome lies before its impression: requests 1, first: {REQUEST_B}"
    ]


def test_a_match_before_its_request() -> None:
    assert refusal(positives=planted(POSITIVES, 0, at=3 * HOUR - 1)) == [
        f"  a match lies before its request: requests 1, first: {REQUEST_A}"
    ]


def test_every_kind_is_told_at_once_and_the_first_rows_of_each() -> None:
    many = pl.concat(
        [REQUESTS.with_columns((pl.col("request") + n).cast(pl.UInt32)) for n in (0, 3, 6)]
    )
    told = refusal([3, 5, 4] * 3, requests=many, positives=planted(POSITIVES, 0, at=2 * HOUR))

    assert [line.split(", first")[0] for line in told] == [
        "  history reaches the request's own time or beyond: requests 3",
        "  history runs into another owner's events: requests 3",
        "  a match lies before its request: requests 1",
    ]
    assert told[0].count("number") == 3
