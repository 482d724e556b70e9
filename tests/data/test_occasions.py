"""Requests, by name and implied; what was shown at them, and what matched."""

from __future__ import annotations

from typing import Any

import pytest

from shelfwise.data.attribution import HOUR, attribute
from shelfwise.data.config import AttributionOptions, MatchOptions
from shelfwise.data.occasions import Occasions, find_occasions, match_kinds
from shelfwise.schema.event import EventKind

from .small_log import numbered

CLICKS = (EventKind.CLICK, EventKind.PURCHASE)


def row(
    event: str, at: int, item: int | None = None, owner: int = 0, **more: Any
) -> dict[str, Any]:
    return {"event": event, "at": at * HOUR, "item": item, "owner": owner, **more}


def occasions(
    *rows: dict[str, Any], kinds: tuple[EventKind, ...] = CLICKS, by_sequence: bool = False
) -> Occasions:
    events = numbered(rows)
    attributed = attribute(events, AttributionOptions())
    return find_occasions(events, attributed, kinds, by_sequence)


SEARCHED = (
    row("search", 4, query=7, request_id="a"),
    row("impression", 5, 1, request_id="a", position=1),
    row("impression", 5, 2, request_id="a", position=2),
    row("click", 6, 2, request_id="a"),
    row("click", 7, 2, request_id="a"),
    row("purchase", 11, 2, request_id="a"),
)


def test_a_named_request_with_its_query_list_and_matches() -> None:
    found = occasions(*SEARCHED)

    assert found.requests.rows(named=True) == [
        {
            "request": 0, "request_id": "a", "owner": 0, "at": 5 * HOUR, "sequence": None,
            "query": 7, "surface": "search",
        }
    ]  # fmt: skip
    assert found.impressions.select("request", "item", "position", "clicked_at").rows() == [
        (0, 1, 1, None),
        (0, 2, 2, 6 * HOUR),
    ]
    # The first click counts.
    assert found.positives.rows() == [(0, 2, "click", 6 * HOUR), (0, 2, "purchase", 11 * HOUR)]


def test_the_surface_is_what_the_log_says_else_what_the_query_tells() -> None:
    found = occasions(
        row("impression", 1, 1, request_id="a"),
        row("impression", 2, 1, request_id="b", query=3),
        row("impression", 3, 1, request_id="c"),
        row("impression", 3, 2, request_id="c", surface="ads"),
    )

    assert found.requests.select("request_id", "surface", "query").rows() == [
        ("a", "recommendation", None),
        ("b", "search", 3),
        ("c", "ads", None),
    ]


def test_requests_are_numbered_by_the_time_of_their_first_row() -> None:
    found = occasions(
        row("impression", 21, 1, owner=1, request_id="c"),
        row("impression", 9, 1, owner=2, request_id="b"),
        row("impression", 11, 2, owner=2, request_id="b"),
        row("click", 10, 5),
    )

    assert found.requests.select("request", "request_id", "owner").rows() == [
        (0, "b", 2),
        (1, None, 0),
        (2, "c", 1),
    ]
    assert sorted(found.impressions.select("request", "item").rows()) == [(0, 1), (0, 2), (2, 1)]


def test_a_match_without_a_list_implies_a_request_just_before_it() -> None:
    found = occasions(
        row("purchase", 1, 5),
        row("purchase", 1, 6),  # one basket
        row("purchase", 1, 5, owner=1),
        row("purchase", 2, 5),
        row("click", 3, 8, request_id="unseen"),  # names a request that showed nothing
        row("view", 3, 9),
        row("search", 3, query=1),
    )

    assert found.requests.select("owner", "at", "surface", "query").rows() == [
        (0, 1 * HOUR, "recommendation", None),
        (1, 1 * HOUR, "recommendation", None),
        (0, 2 * HOUR, "recommendation", None),
        (0, 3 * HOUR, "recommendation", None),
    ]
    assert found.positives.select("request", "item").rows() == [
        (0, 5), (0, 6), (1, 5), (2, 5), (3, 8),
    ]  # fmt: skip
    assert found.impressions.is_empty()


def test_by_sequence_the_clicks_of_one_date_are_requests_of_their_own() -> None:
    rows = [row("click", 1, item, sequence=item) for item in (3, 2, 2, 4)]

    found = occasions(*rows, by_sequence=True)

    assert found.requests.select("sequence").to_series().to_list() == [2, 3, 4]
    assert found.positives.select("request", "item").rows() == [(0, 2), (1, 3), (2, 4)]
    assert len(occasions(*rows).requests) == 1


def test_by_sequence_what_has_none_is_together() -> None:
    found = occasions(
        row("click", 1, 3), row("click", 1, 4), row("click", 1, 5, sequence=1), by_sequence=True
    )

    assert found.positives.select("request", "item").rows() == [(0, 5), (1, 3), (1, 4)]


def test_a_match_dated_before_its_request_is_none_of_its_answers() -> None:
    found = occasions(
        row("click", 4, 1, request_id="a"),
        row("impression", 5, 1, request_id="a"),
        row("click", 5, 1, request_id="a"),
    )

    assert found.positives.rows() == [(0, 1, "click", 5 * HOUR)]


def test_a_log_without_any_occasion() -> None:
    found = occasions(row("view", 1, 1))

    assert (len(found.requests), len(found.impressions), len(found.positives)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("counts", "kinds"),
    [
        ({"impression": 9, "click": 1}, CLICKS),
        ({"impression": 9, "purchase": 1}, (EventKind.PURCHASE,)),
        ({"view": 90, "cart": 10, "purchase": 9}, (EventKind.VIEW,)),  # 9 and 10 of 109 < 1/10
        ({"view": 81, "purchase": 9}, (EventKind.PURCHASE,)),  # 9 of 90 is a tenth
        ({"view": 8, "click": 1, "cart": 1, "return": 90, "search": 90}, (EventKind.CART,)),
        ({"search": 5, "return": 1}, ()),
    ],
)
def test_what_counts_as_a_match_follows_from_the_log(
    counts: dict[str, int], kinds: tuple[EventKind, ...]
) -> None:
    assert match_kinds(counts, MatchOptions()) == kinds
    assert match_kinds(counts, MatchOptions(events=("favourite",))) == (EventKind.FAVOURITE,)


def test_a_search_that_a_click_answered_is_a_request_without_impressions() -> None:
    found = occasions(
        row("search", 1, query=4, request_id="a"),
        row("search", 1, query=5, request_id="b"),  # nobody took anything
        row("click", 2, item=7, request_id="a"),
        row("click", 9, item=8, request_id="c"),  # of a request nobody searched at
    )

    assert found.requests.select("request_id", "at", "query", "surface").rows() == [
        ("a", HOUR, 4, "search"),
        (None, 9 * HOUR, None, "recommendation"),
    ]
    assert found.positives.select("request", "item", "at").rows() == [
        (0, 7, 2 * HOUR),
        (1, 8, 9 * HOUR),
    ]
