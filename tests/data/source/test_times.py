from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from shelfwise.data.source.times import parse_times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02", datetime(2026, 1, 2)),
        ("20260102", datetime(2026, 1, 2)),
        ("2026-01-02T03:04", datetime(2026, 1, 2, 3, 4)),
        ("2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02 03:04:05 UTC", datetime(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500_000)),
        ("2026-01-02T03:04:05,123456789", datetime(2026, 1, 2, 3, 4, 5, 123_456)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5)),
        ("2026-01-02T03:04:05-0530", datetime(2026, 1, 2, 8, 34, 5)),
        ("2026-01-02T03:04+03", datetime(2026, 1, 2, 0, 4)),
        # 1767323045 s = 20455 days of 86400 s and 3:04:05 after 1970-01-01.
        ("1767323045", datetime(2026, 1, 2, 3, 4, 5)),
        ("1767323045.25", datetime(2026, 1, 2, 3, 4, 5, 250_000)),
        ("1767323045123", datetime(2026, 1, 2, 3, 4, 5, 123_000)),
        ("1767323045123456", datetime(2026, 1, 2, 3, 4, 5, 123_456)),
        ("2026-13-01", None),
        ("2026-01-02T25:00:00Z", None),
        ("02.01.2026", None),
        ("noon", None),
        (None, None),
    ],
)
def test_by_hand(text: str | None, moment: datetime | None) -> None:
    # Beside a sound one, so that no form is read only because it is alone.
    read = parse_times(pl.Series(["2020-01-01T00:00:00Z", text]), "UTC")

    expected = None if moment is None else moment.replace(tzinfo=UTC)
    assert read.to_list() == [datetime(2020, 1, 1, tzinfo=UTC), expected]


def test_clocks_that_change() -> None:
    # Berlin leaps from 2 to 3 on 2026-03-29 and shows 2 to 3 twice on 2026-10-25.
    clock = pl.Series(["2026-03-29 02:30", "2026-10-25 02:30", "2026-07-01 02:30"])

    assert parse_times(clock, "Europe/Berlin").to_list() == [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # 3:30 in summer time
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # the earlier: still summer time
        datetime(2026, 7, 1, 0, 30, tzinfo=UTC),
    ]
