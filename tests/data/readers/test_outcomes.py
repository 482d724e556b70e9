"""One published row, several events."""

from __future__ import annotations

import polars as pl

from shelfwise.data.readers.outcomes import events_of
from shelfwise.schema.event import EventKind

SHOWN = pl.DataFrame({"line": [1, 2, 3], "at": [20, 10, 10], "place": [7, 8, 9]})


def test_what_came_of_a_row_stands_right_behind_it() -> None:
    events = events_of(
        {
            EventKind.IMPRESSION: SHOWN,
            EventKind.PURCHASE: pl.DataFrame({"line": [2], "at": [10], "paid": [5.0]}),
            EventKind.CLICK: pl.DataFrame({"line": [2, 3], "at": [10, 10]}),
        },
        order=["at"],
    )

    assert events.columns == ["event", "at", "place", "paid"]
    assert events.rows() == [
        ("impression", 10, 8, None),
        ("click", 10, None, None),
        ("purchase", 10, None, 5.0),
        ("impression", 10, 9, None),
        ("click", 10, None, None),
        ("impression", 20, 7, None),
    ]


def test_a_late_outcome_stands_in_its_own_time() -> None:
    events = events_of(
        {
            EventKind.CLICK: SHOWN.select("line", "at"),
            EventKind.PURCHASE: pl.DataFrame({"line": [3], "at": [15]}),
        },
        order=["at"],
    )

    assert events.rows() == [("click", 10), ("click", 10), ("purchase", 15), ("click", 20)]


def test_without_an_order_lines_decide() -> None:
    events = events_of({EventKind.IMPRESSION: SHOWN.reverse()}, order=[])

    assert events["place"].to_list() == [7, 8, 9]
