from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shelfwise.data.config import DataOptions, SplitOptions
from shelfwise.data.split import (
    Moments,
    microseconds,
    moment_text,
    part_of,
    rolling_moments,
    split_moments,
    split_warning,
)
from shelfwise.schema.errors import DataError

FEB_1 = datetime(2026, 2, 1, tzinfo=UTC)
DAY = 86_400_000_000


def at(day: int) -> int:
    return microseconds(FEB_1) + (day - 1) * DAY


def test_by_shares_of_the_logs_duration() -> None:
    # 1,000 microseconds, 100 to 1,099: the last 15 % begin at 1,100 - 150 = 950, and the 10 %
    # before them at 950 - 100 = 850.
    moments = split_moments(100, 1_099, SplitOptions())

    assert moments == Moments(100, 850, 950, 1_100)
    assert [moments.start_of(p) for p in ("train", "validation", "test")] == [100, 850, 950]
    assert [moments.end_of(p) for p in ("train", "validation", "test")] == [850, 950, 1_100]


def test_by_dates() -> None:
    options = SplitOptions(validation_start=FEB_1 + timedelta(days=9), test_start="2026-02-16")

    assert split_moments(at(1), at(20), options) == Moments(at(1), at(10), at(16), at(20) + 1)


def test_a_stated_test_keeps_the_share_of_validation_before_it() -> None:
    options = SplitOptions(test_start=FEB_1 + timedelta(days=15), validation_share=0.25)

    # The log lasts 20 days and 1 us; a quarter of that, whole microseconds, before February 16.
    assert split_moments(at(1), at(21), options).validation == at(16) - 5 * DAY


@pytest.mark.parametrize(
    "options",
    [
        SplitOptions(test_start="2026-01-01"),  # before the log
        SplitOptions(test_start="2026-03-01"),  # after it
        SplitOptions(validation_start="2026-02-01"),  # nothing left to train on
        SplitOptions(validation_start="2026-02-20"),  # after the test's start by share
    ],
)
def test_a_part_without_time_is_refused_with_the_logs_own_dates(options: SplitOptions) -> None:
    with pytest.raises(DataError, match="runs from 2026-02-01 00:00 to 2026-02-21 00:00"):
        split_moments(at(1), at(21), options)


def test_the_test_needs_at_least_the_logs_last_moment() -> None:
    last = FEB_1 + timedelta(days=20)

    assert split_moments(at(1), at(21), SplitOptions(test_start=last)).test == at(21)
    with pytest.raises(DataError, match="would leave a part empty"):
        split_moments(at(1), at(21), SplitOptions(test_start=last + timedelta(microseconds=1)))


def test_a_log_of_one_moment_cannot_be_split() -> None:
    with pytest.raises(DataError, match="would leave a part empty"):
        split_moments(at(1), at(1), SplitOptions())


def test_windows_end_one_after_the_other_and_each_trains_on_all_before() -> None:
    # 1,000 us: three tests of 200 fill the end, each with a validation of 100 before it.
    options = SplitOptions(kind="rolling", windows=3, test_share=0.2)

    assert rolling_moments(100, 1_099, options) == [
        Moments(100, 400, 500, 700),
        Moments(100, 600, 700, 900),
        Moments(100, 800, 900, 1_100),
    ]
    assert split_moments(100, 1_099, options) == Moments(100, 800, 900, 1_100)
    first = options.model_copy(update={"window": 1})
    assert split_moments(100, 1_099, first) == Moments(100, 400, 500, 700)


def test_the_last_window_is_the_split_by_time() -> None:
    options = SplitOptions(kind="rolling", windows=2)

    assert split_moments(100, 1_099, options) == split_moments(100, 1_099, SplitOptions())


def test_outcomes_are_known_until_the_last_of_the_parts() -> None:
    moments = Moments(0, 10, 20, 30)

    assert moments.known_until(["train"]) == 10
    assert moments.known_until(["train", "validation"]) == moments.known_until(["validation"]) == 20
    assert moments.known_until(["test"]) == 30


@pytest.mark.parametrize("kind", ["leave_last_out", "cold_items", "cold_queries"])
def test_a_split_by_request_has_no_moments_and_a_warning(kind: str) -> None:
    options = SplitOptions(kind=kind)

    assert split_moments(100, 1_099, options) == Moments(100, 1_100, 1_100, 1_100)
    assert kind in (split_warning(options) or "")
    assert "in training" in (split_warning(options) or "")


def test_a_split_by_time_needs_no_warning() -> None:
    assert split_warning(SplitOptions()) is None
    assert split_warning(SplitOptions(kind="rolling")) is None


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"kind": "leave_last_out", "test_share": 0.3}, "leave_last_out.*leave out test_share"),
        ({"kind": "rolling", "test_start": "2026-02-01"}, "rolling.*leave out test_start"),
        ({"windows": 5, "window": 2}, "'time' reads validation_start.*leave out windows, window"),
        ({"kind": "rolling", "windows": 2, "window": 3}, "window 3 of 2"),
        ({"kind": "rolling", "windows": 7}, "leave nothing to train on"),  # 7 * .15 + .1 > 1
    ],
)
def test_options_that_a_kind_does_not_read_are_refused(told: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SplitOptions.model_validate(told)


def test_a_saved_split_is_read_again() -> None:
    options = SplitOptions(kind="rolling", windows=4, window=2)

    assert SplitOptions.model_validate(options.model_dump(mode="json")) == options


def test_a_period_needs_a_split_by_time() -> None:
    with pytest.raises(ValidationError, match=r'set match\.target = "next"'):
        DataOptions.model_validate({"split": {"kind": "leave_last_out"}})

    told = {"split": {"kind": "leave_last_out"}, "match": {"target": "next"}}
    assert DataOptions.model_validate(told).split.kind == "leave_last_out"


@given(
    st.integers(0, 10**16),
    st.integers(1_000, 10**15),
    st.floats(0.01, 0.49),
    st.floats(0.01, 0.49),
)
def test_parts_follow_each_other_and_fill_the_log(
    first: int, span: int, validation: float, test: float
) -> None:
    options = SplitOptions(validation_share=validation, test_share=test)

    moments = split_moments(first, first + span, options)

    assert moments == tuple(sorted(set(moments)))
    assert (moments.first, moments.end) == (first, first + span + 1)
    edges = pl.Series("at", [first, *(m + d for m in moments[1:3] for d in (-1, 0)), first + span])
    parts = edges.to_frame().select(part_of(pl.col("at"), moments)).to_series().to_list()
    assert parts == ["train", "train", "validation", "validation", "test", "test"]


def test_times_are_exact_to_the_microsecond() -> None:
    # A float of seconds could not hold this one.
    late = datetime(2200, 1, 1, 0, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))

    assert microseconds(late) % 1_000_000 == 1
    assert moment_text(microseconds(FEB_1) - 1) == "2026-01-31 23:59"
