from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shelfwise.schema.event import Event, EventKind, Surface
from shelfwise.schema.item import Item
from shelfwise.schema.ranking import ScoredItem
from shelfwise.serving.config import ServeOptions
from shelfwise.serving.messages import (
    HistoryEvent,
    RankedItem,
    RecommendBody,
    SearchBody,
    rank_request,
    within,
)

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def click(item_id: str, at: datetime | None = None) -> HistoryEvent:
    return HistoryEvent(event=EventKind.CLICK, item_id=item_id, timestamp=at)


def test_a_body_becomes_a_request_in_our_own_words() -> None:
    body = SearchBody(
        query="  tea ", k=3, user_id="u1", at=NOON, history=(click("a", NOON - timedelta(hours=1)),)
    )

    request = rank_request(body, Surface.SEARCH, now=NOON + timedelta(days=1))

    assert (request.surface, request.query, request.k) == (Surface.SEARCH, "tea", 3)
    assert request.at == NOON
    assert request.history == (Event(EventKind.CLICK, "u1", "a", NOON - timedelta(hours=1)),)


def test_every_request_has_an_id_of_its_own() -> None:
    first, second = (rank_request(RecommendBody(), Surface.ADS, NOON) for _ in range(2))

    assert first.request_id != second.request_id


def test_an_event_without_a_time_shares_that_of_its_follower() -> None:
    body = RecommendBody(history=(click("a"), click("b", NOON), click("c"), click("d")))

    request = rank_request(body, Surface.RECOMMENDATION, now=NOON + timedelta(hours=1))

    last = NOON + timedelta(hours=1) - MOMENT
    assert [event.at for event in request.history] == [NOON, NOON, last, last]


def test_a_visitor_whose_clock_is_fast_keeps_the_last_click() -> None:
    # Events from `at` on are not looked at, so `at` moves behind the last of them.
    body = RecommendBody(history=(click("a", NOON + timedelta(seconds=5)),))

    request = rank_request(body, Surface.RECOMMENDATION, now=NOON)

    assert request.at == NOON + timedelta(seconds=5) + MOMENT


def test_a_time_without_a_zone_is_utc() -> None:
    assert click("a", datetime(2025, 6, 1, 12)).timestamp == NOON


@pytest.mark.parametrize(
    ("history", "at", "rule"),
    [
        ((click("a", NOON), click("b", NOON - MOMENT)), None, "oldest first"),
        ((click("a", NOON),), NOON, "must lie before at"),
    ],
)
def test_time_goes_forward(
    history: tuple[HistoryEvent, ...], at: datetime | None, rule: str
) -> None:
    with pytest.raises(ValidationError, match=rule):
        RecommendBody(history=history, at=at)


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        ({"event": "search"}, "a search needs its query"),
        ({"event": "cart"}, "a cart needs its item_id"),
    ],
)
def test_an_event_says_what_it_is_about(event: dict[str, str], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        HistoryEvent.model_validate(event)


def test_limits_are_of_one_server_and_reported_together() -> None:
    strict = within(ServeOptions(max_k=10, max_query_length=3, max_history=1), SearchBody)
    body = {"query": "four", "k": 11, "history": [{"event": "click", "item_id": "a"}] * 2}

    with pytest.raises(ValidationError) as caught:
        strict.model_validate(body)

    assert {problem["loc"] for problem in caught.value.errors()} == {
        ("query",),
        ("k",),
        ("history",),
    }
    assert SearchBody.model_validate(body)


def test_what_the_log_could_not_teach_is_null() -> None:
    scored = ScoredItem(Item("a", price=2.0), match=0.5, p_click=0.1, p_convert=float("nan"))

    told = RankedItem.of(scored)

    assert (told.match, told.p_click, told.p_convert) == (0.5, 0.1, None)
    assert (told.campaign_id, told.charge) == (None, None)
    assert '"p_convert":null' in told.model_dump_json()
