"""Visits and requests: what the log says, and what is made of it where it does not."""

from __future__ import annotations

from typing import Any

import polars as pl

from shelfwise.data.config import SessionOptions
from shelfwise.data.event_rows import KIND, SURFACE
from shelfwise.data.visits import with_requests, with_sessions, without_repeats

MINUTE = 60_000_000
ROWS = pl.Schema(
    {
        "event": KIND,
        "owner": pl.Int64,
        "item": pl.Int64,
        "query": pl.Int64,
        "at": pl.Int64,
        "session": pl.UInt64,
        "request_id": pl.String,
        "surface": SURFACE,
        "position": pl.Int64,
        "file": pl.UInt32,
    }
)


def rows_of(*rows: dict[str, Any]) -> pl.DataFrame:
    told = [{"event": "view", "owner": 0, "item": 1, "at": 0, "file": 0, **row} for row in rows]
    return pl.DataFrame(told, schema=ROWS)


def test_a_pause_longer_than_the_gap_begins_a_visit() -> None:
    rows = rows_of(
        {"at": 0},
        {"at": 30 * MINUTE},  # just inside
        {"at": 60 * MINUTE + 1},  # a microsecond too long
        {"at": 60 * MINUTE + 2, "owner": 1},
    )

    assert with_sessions(rows, SessionOptions())["session"].to_list() == [0, 0, 1, 2]


def test_the_logs_own_sessions_are_believed() -> None:
    rows = rows_of(
        {"at": 0, "session": 7},
        {"at": 1, "session": 5},  # another device at the same time
        {"at": 500 * MINUTE, "session": 7},
        {"at": 500 * MINUTE + 1},  # not said: a visit of its own
        {"at": 500 * MINUTE + 2, "session": 7, "owner": 1},  # another owner's, however it is called
        {"at": 520 * MINUTE, "owner": 1},
    )

    assert with_sessions(rows, SessionOptions())["session"].to_list() == [0, 1, 0, 2, 3, 4]


def test_a_request_is_its_owners() -> None:
    rows = rows_of(
        {"request_id": "1"},
        {"request_id": "1", "owner": 1},
        {"request_id": "2", "owner": 1},
        {"request_id": "1", "event": "click"},
        {},
    )

    one, other, second, click, nothing = with_requests(rows)["request_id"].to_list()

    assert len({one, other, second}) == 3
    assert click == one
    assert nothing is None


def test_impressions_without_a_request_make_one_with_those_beside_them() -> None:
    shown = {"event": "impression", "at": 1}
    rows = rows_of(
        shown,
        shown | {"item": 2},
        shown | {"at": 2},
        shown | {"owner": 1},
        shown | {"surface": "ads"},
        shown | {"query": 3},
        {"event": "click", "at": 1},
    )

    *ids, click = with_requests(rows)["request_id"].to_list()

    assert ids[0] == ids[1]
    assert len(set(ids)) == 5
    assert click is None


def test_an_item_drawn_again_at_its_place_is_left_out() -> None:
    shown = {"event": "impression", "request_id": "r", "position": 1}
    rows = with_requests(
        rows_of(
            shown | {"at": 1},
            shown | {"at": 2},  # again
            shown | {"at": 2, "position": 2},
            shown | {"at": 2, "item": 2},
            shown | {"at": 2, "event": "click"},
            shown | {"at": 3, "event": "click"},
        )
    )

    kept, again = without_repeats(rows)

    assert kept["at"].to_list() == [1, 2, 2, 2, 3]
    assert again.height == 1
