"""Curves by day, and the days that stand out."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from shelfwise.data.report.days import closed_weekdays, day_marks, days

from .events import did, thin

MONDAY = date(2026, 1, 5)


def test_curves_by_hand_in_the_shops_zone() -> None:
    # 23:30 UTC on Monday is half past midnight on Tuesday in Berlin; nothing on Wednesday.
    log = [
        did("click", "u", 1, "a"),
        did("click", "u", 23.5, "a"),
        did("view", "u", 24, "a"),
        did("view", "u", 73, "a"),
    ]

    found = days(thin(log), "Europe/Berlin")

    assert found is not None
    assert (found.first, found.last) == ("2026-01-05", "2026-01-08")
    assert found.rows == {"view": (0, 1, 0, 1), "click": (1, 1, 0, 0)}
    assert sum(map(sum, found.rows.values())) == sum(found.hours) == len(log)
    assert [hour for hour, count in enumerate(found.hours) if count] == [0, 1, 2]


def test_a_log_without_times_has_no_days() -> None:
    assert days(thin([did("view", "u", None, "a")]), "UTC") is None


def test_gaps_dips_and_spikes_are_marked() -> None:
    # 100 a day, but a day of 0, one of 10 and one of 1,000; the last day is not whole.
    rows = np.full(40, 100)
    rows[[10, 20, 30, 39]] = [0, 10, 1_000, 3]

    marks = day_marks(MONDAY, rows, frozenset())

    assert [(mark.day, mark.what, mark.moments, mark.usual) for mark in marks] == [
        ("2026-01-15", "gap", 0, 100),
        ("2026-01-25", "dip", 10, 100),
        ("2026-02-04", "spike", 1_000, 100),
    ]


def test_a_long_gap_does_not_become_the_rule() -> None:
    rows = np.full(40, 100)
    rows[10:22] = 0

    assert [mark.what for mark in day_marks(MONDAY, rows, frozenset())] == ["gap"] * 12


def test_a_week_with_its_own_rhythm_has_no_marks() -> None:
    # Saturdays have five times the usual and Sundays none: that is how this shop is.
    rows = np.tile([100, 100, 100, 100, 100, 500, 0], 6)

    closed = closed_weekdays(MONDAY, rows)

    assert closed == {6}
    assert day_marks(MONDAY, rows, closed) == ()


def test_two_sundays_are_too_few_to_call_a_shop_closed() -> None:
    assert closed_weekdays(MONDAY, np.tile([1, 1, 1, 1, 1, 1, 0], 2)) == frozenset()


def test_chance_alone_marks_nothing() -> None:
    rows = np.random.default_rng(0).poisson(3, size=300)

    assert day_marks(MONDAY, rows, frozenset()) == ()


def test_the_rows_of_one_request_are_one_moment() -> None:
    # A search a day, of 25 items at one time, but for one day: chance can do that.
    log = [
        did("impression", "u", 24 * day, f"i{item}")
        for day in range(30)
        if day != 10
        for item in range(25)
    ]

    found = days(thin(log), "UTC")

    assert found is not None
    assert found.rows["impression"][9:12] == (25, 0, 25)
    assert found.marks == ()


def test_a_kind_can_stand_out_alone_and_is_not_told_twice() -> None:
    # 40 views and 10 clicks a day; on day 10 there are 30 clicks more, and on day 20 nothing. 80
    # of all is no twice of 50; 40 clicks are, and log(41 / 11) = 1.32 is beyond 4 / sqrt(11).
    log = [
        did("click" if number < 10 else "view", f"u{number}", 24 * day + number / 10, "a")
        for day in range(30)
        if day != 20
        for number in range(50)
    ]
    log += [did("click", "bot", 240 + number / 10, "a") for number in range(30)]

    found = days(thin(log), "UTC")

    assert found is not None
    assert [(mark.kind, mark.day, mark.what) for mark in found.marks] == [
        ("", "2026-01-25", "gap"),
        ("click", "2026-01-15", "spike"),
    ]


def test_totals_equal_the_rows() -> None:
    random = np.random.default_rng(1)
    log = [
        did(str(random.choice(["view", "click"])), "u", float(random.uniform(0, 500)), "a")
        for _ in range(200)
    ]

    found = days(thin(log), "Asia/Shanghai")

    assert found is not None
    assert sum(map(sum, found.rows.values())) == 200
    assert pl.Series(found.hours).sum() == 200
