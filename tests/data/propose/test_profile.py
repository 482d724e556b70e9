"""Cells of single columns, and what they are taken for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from shelfwise.data.propose.profile import profile


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2026-01-01T10:00:00Z", "2026-01-01 10:00:00+01:00"], "zoned"),
        (["2019-10-01 00:00:00 UTC"], "zoned"),
        (["2026-01-01 10:00:00", "2026-01-02"], "clock"),
        ([datetime(2026, 1, 1)], "clock"),
        ([datetime(2026, 1, 1, tzinfo=UTC)], "zoned"),
        ([date(2026, 1, 1)], "clock"),
        ([1_511_658_000, 1_511_658_001], "s"),
        ([1_433_221_332_117], "ms"),
        ([1_433_221_332_117_000], "us"),
        ([1_433_221_332_117_000_000], "ns"),
        (["1/12/2010 08:26", "13/12/2010 9:00"], "unreadable"),
        ([5, 1_511_658_000], None),
        (["shoe"], None),
        ([], None),
    ],
)
def test_forms_of_times(values: list[object], form: str | None) -> None:
    assert profile(pl.Series("t", values)).time == form


def test_counts_by_hand() -> None:
    """Five rows, one of them empty; b twice, so three different values; 4 letters in 4 cells."""
    found = profile(pl.Series("c", ["b", "a", None, "b", "c"]))

    assert (found.rows, found.filled, found.distinct, found.unique) == (5, 4, 3, False)
    assert found.common == (("b", 2), ("a", 1), ("c", 1))
    assert found.length == 1.0
    assert found.described == "3 different values in 5 rows, 20% empty"


@pytest.mark.parametrize(
    ("values", "number", "whole", "flag", "address"),
    [
        (["1", "0", "1"], True, True, True, False),
        (["1.5", "-2e3"], True, False, False, False),
        (["yes", "No"], False, False, True, False),
        (["10.0.0.1", "192.168.1.77"], False, False, False, True),
        (["2001:db8::1"], False, False, False, True),
        (["10:20"], False, False, False, False),
    ],
)
def test_kinds_of_cells(
    values: list[str], number: bool, whole: bool, flag: bool, address: bool
) -> None:
    found = profile(pl.Series("c", values))

    assert (found.is_number, found.is_whole, found.is_flag, found.is_address) == (
        number, whole, flag, address,
    )  # fmt: skip
