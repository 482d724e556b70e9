"""Where validation and test begin in a log whose publisher names no split."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl


class Periods(NamedTuple):
    """The first moments of validation and test, whole seconds."""

    validation_start: datetime
    test_start: datetime


def split_toml(periods: Periods | None) -> str:
    """The section of shop.toml that says so, to follow others; without periods, nothing."""
    if periods is None:
        return ""
    return (
        "\n[split]\n"
        f"validation_start = {periods.validation_start:%Y-%m-%dT%H:%M:%SZ}\n"
        f"test_start = {periods.test_start:%Y-%m-%dT%H:%M:%SZ}\n"
    )


def periods_by_rows(
    times: pl.Series, validation_share: float = 0.15, test_share: float = 0.15
) -> Periods | None:
    """The moments before which all but the last shares of the rows lie.

    By rows and not by time: a log of a few hours may hold most of them in its last half hour.
    Written into shop.toml as moments, they also tell what of an item may be described from when.
    None where the rows lie too close together for three parts.
    """
    ordered = times.drop_nulls().sort()
    count = len(ordered)
    test_row = count - max(round(count * test_share), 1)
    validation_row = test_row - max(round(count * validation_share), 1)
    if validation_row <= 0:
        return None
    validation, test = _second(ordered[validation_row]), _second(ordered[test_row])
    return Periods(validation, test) if ordered[0] < validation < test else None


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
