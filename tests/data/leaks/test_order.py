"""Answers in front of their questions are refused, and their requests named."""

from __future__ import annotations

import polars as pl
import pytest

from shelfwise.data.leakage import refuse_leaks

from .planted import (
    ENDS,
    HOUR,
    IMPRESSIONS,
    POSITIVES,
    REQUESTS,
    made,
    planted,
    refusal,
)

REQUEST_A = "number 0 at 1970-01-01 03:00, request_id a"
REQUEST_B = "number 1 at 1970-01-01 03:00, request_id b"


def test_a_clean_log_passes() -> None:
    assert ENDS.tolist() == [2, 4, 4]
    refuse_leaks(made())


def test_an_empty_log_passes() -> None:
    refuse_leaks(
        made(
            [],
            requests=REQUESTS.clear(),
            impressions=IMPRESSIONS.clear(),
            positives=POSITIVES.clear(),
        )
    )


def test_an_event_at_the_requests_own_time_is_in_its_history() -> None:
    assert refusal(made([3, 4, 4])) == [
        f"  history reaches the request's own time or beyond: requests 1, first: {REQUEST_A}"
    ]


def test_where_a_sequence_orders_one_time_stamp_times_may_be_equal() -> None:
    same_time = planted(REQUESTS, 2, at=2 * HOUR, part="train")
    matched_then = planted(POSITIVES, 1, at=2 * HOUR)

    refuse_leaks(made(requests=same_time, positives=matched_then))

    earlier = planted(same_time, 2, at=2 * HOUR - 1)
    assert refusal(made(requests=earlier))[0].endswith("first: number 2 at 1970-01-01 01:59")


@pytest.mark.parametrize("end", [2, 5, -1])
def test_a_history_that_runs_into_anothers_events(end: int) -> None:
    assert refusal(made([2, end, 4])) == [
        f"  history runs into another owner's events: requests 1, first: {REQUEST_B}"
    ]


def test_an_impression_told_twice() -> None:
    again = planted(IMPRESSIONS, 0, item=2, position=None)

    assert refusal(made(impressions=again)) == [
        f"  the same impression stands twice: requests 1, first: {REQUEST_A}"
    ]


@pytest.mark.parametrize("column", ["clicked_at", "purchased_at"])
def test_an_outcome_before_its_impression(column: str) -> None:
    early = planted(IMPRESSIONS, 2, **{column: 3 * HOUR - 1})

    assert refusal(made(impressions=early)) == [
        f"  an outcome lies before its impression: requests 1, first: {REQUEST_B}"
    ]


def test_a_match_before_its_request() -> None:
    assert refusal(made(positives=planted(POSITIVES, 0, at=3 * HOUR - 1))) == [
        f"  a match lies before its request: requests 1, first: {REQUEST_A}"
    ]


def test_every_kind_is_told_at_once_and_the_first_rows_of_each() -> None:
    many = pl.concat(
        REQUESTS.with_columns(
            (pl.col("request") + n).cast(pl.UInt32), pl.col("request_id") + f" {n}"
        )
        for n in (0, 3, 6)
    )
    told = refusal(made([3, 5, 4] * 3, requests=many, positives=planted(POSITIVES, 0, at=2 * HOUR)))

    assert [line.split(", first")[0] for line in told] == [
        "  history reaches the request's own time or beyond: requests 3",
        "  history runs into another owner's events: requests 3",
        "  a match lies before its request: requests 1",
    ]
    assert told[0].count("number") == 3
