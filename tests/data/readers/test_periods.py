"""Validation and test begin where most rows, not most of the time, are over."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from shelfwise.data.config import SplitOptions
from shelfwise.data.readers.periods import Periods, periods_by_rows, split_toml

START = datetime(2019, 10, 1, tzinfo=UTC)


def times(*seconds: float) -> pl.Series:
    moments = [START + timedelta(seconds=second) for second in seconds]
    return pl.Series(moments, dtype=pl.Datetime("us", "UTC"))


def test_shares_are_of_rows() -> None:
    # 20 rows, all but the first in the last 19 seconds of an hour. The test begins with row
    # int(20 x .85) = 17, counted from 0, and validation with row int(20 x .7) = 14.
    hour = times(0, *range(3_581, 3_600))

    periods = periods_by_rows(hour)

    assert periods == Periods(START + timedelta(seconds=3_594), START + timedelta(seconds=3_597))
    assert (hour < periods.validation_start).sum() == 14
    assert (hour >= periods.test_start).sum() == 3


def test_the_order_of_rows_does_not_matter() -> None:
    rows = times(*range(100))

    assert periods_by_rows(rows.reverse()) == periods_by_rows(rows)


def test_wider_shares() -> None:
    # 10 rows: test from row int(10 x .7) = 7, validation from row int(10 x .5) = 5.
    periods = periods_by_rows(times(*range(10)), validation_share=0.2, test_share=0.3)

    assert periods == Periods(START + timedelta(seconds=5), START + timedelta(seconds=7))


def test_moments_are_whole_seconds() -> None:
    periods = periods_by_rows(times(*(second + 0.7 for second in range(20))))

    assert periods == Periods(START + timedelta(seconds=14), START + timedelta(seconds=17))


@pytest.mark.parametrize("seconds", [(), (1,), (1, 2), (1, 1, 1, 1, 9), (0, 0.1, 0.2, 0.3, 0.4)])
def test_too_close_for_three_parts(seconds: tuple[float, ...]) -> None:
    assert periods_by_rows(times(*seconds)) is None


def test_toml_says_the_same() -> None:
    periods = Periods(START, START + timedelta(seconds=1))

    options = SplitOptions.model_validate(tomllib.loads(split_toml(periods))["split"])

    assert (options.validation_start, options.test_start) == periods
    assert split_toml(None) == ""
