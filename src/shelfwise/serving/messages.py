"""What travels over HTTP: the bodies of requests and answers, and their way to our own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isnan
from typing import Annotated, Any, ClassVar, Self
from uuid import uuid4

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    field_validator,
    model_validator,
)

from shelfwise.data.config import UtcTime
from shelfwise.schema.event import Event, EventKind, Surface
from shelfwise.schema.item import Item
from shelfwise.schema.ranking import Ranking, RankRequest, ScoredItem
from shelfwise.serving.config import DEFAULT_K, ServeOptions

# As short a time as a datetime can tell apart.
_MOMENT = timedelta(microseconds=1)
_ANONYMOUS = "visitor"

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Query = Annotated[str, StringConstraints(strip_whitespace=True)]


class Message(BaseModel):
    """Base of every body: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class HistoryEvent(Message):
    """One thing the visitor did before this request."""

    event: EventKind
    """What was done."""
    item_id: Identifier | None = None
    """To which item; only a search may lack it."""
    timestamp: UtcTime | None = None
    """When (UTC where it names no zone); left out, that of the event that follows."""
    query: Query = ""
    """What had been typed."""

    @model_validator(mode="after")
    def _says_what_it_is_about(self) -> Self:
        if self.event is EventKind.SEARCH and not self.query:
            raise ValueError("a search needs its query")
        if self.event is not EventKind.SEARCH and self.item_id is None:
            raise ValueError(f"a {self.event} needs its item_id")
        return self


class RankBody(Message):
    """What every surface may be told."""

    limits: ClassVar[ServeOptions] = ServeOptions()

    history: tuple[HistoryEvent, ...] = ()
    """What the visitor did before, oldest first. It is used for this answer and not kept."""
    k: Annotated[int, Field(ge=1, strict=True)] = DEFAULT_K
    """How many items to answer with, at most."""
    user_id: Identifier | None = None
    """Names the visitor whose history this is; nothing is looked up by it in this version."""
    at: UtcTime | None = None
    """Moment to rank for; left out, now, or just after the last event where that is later."""

    @field_validator("k")
    @classmethod
    def _k_within_limit(cls, k: int) -> int:
        if k > cls.limits.max_k:
            raise ValueError(f"one answer holds at most {cls.limits.max_k} items")
        return k

    @field_validator("query", check_fields=False)
    @classmethod
    def _query_within_limit(cls, query: str) -> str:
        if len(query) > cls.limits.max_query_length:
            raise ValueError(
                f"a query has at most {cls.limits.max_query_length} characters, "
                f"this one has {len(query)}"
            )
        return query

    @field_validator("history", mode="before")
    @classmethod
    def _history_within_limit(cls, history: Any) -> Any:
        # Before the events themselves are read: a thousand mistakes in them help nobody.
        if isinstance(history, Sequence) and len(history) > cls.limits.max_history:
            raise ValueError(
                f"a request carries at most {cls.limits.max_history} events, "
                f"this one has {len(history)}; send the newest"
            )
        return history

    @model_validator(mode="after")
    def _time_goes_forward(self) -> Self:
        times = [event.timestamp for event in self.history if event.timestamp is not None]
        for earlier, later in pairwise(times):
            if later < earlier:
                raise ValueError(
                    f"history must be oldest first, but {later.isoformat()} "
                    f"follows {earlier.isoformat()}"
                )
        if self.at is not None and times and times[-1] >= self.at:
            raise ValueError(
                f"history must lie before at ({self.at.isoformat()}), "
                f"but its last event is of {times[-1].isoformat()}"
            )
        return self


class SearchBody(RankBody):
    """A shopper typed something."""

    query: Annotated[Query, StringConstraints(min_length=1)]
    """What was typed."""


class RecommendBody(RankBody):
    """A shopper looks at a shelf without having asked for anything."""


class AdsBody(RankBody):
    """A sponsored slot is free, beside search results or on any other page."""

    query: Query = ""
    """What was typed, where the slot stands beside search results."""


class RankedItem(Message):
    """One place of the answer: the item, and what the model believes of it."""

    item_id: str
    title: str
    category: str
    brand: str
    price: float | None
    match: float | None
    """Retrieval score, higher is closer, no unit; null where the item was not retrieved."""
    p_click: float | None
    """P(click | shown); null where the log could not teach it."""
    p_convert: float | None
    """P(purchase | click); null where the log could not teach it."""
    campaign_id: str | None
    """Who paid for the place; null where nobody did."""
    charge: float | None
    """What a click costs the advertiser; null where nobody pays."""

    @classmethod
    def of(cls, scored: ScoredItem) -> Self:
        item, sponsored = scored.item, scored.campaign_id != ""
        return cls(
            item_id=item.item_id,
            title=item.title,
            category=item.category,
            brand=item.brand,
            price=item.price,
            match=_known(scored.match),
            p_click=_known(scored.p_click),
            p_convert=_known(scored.p_convert),
            campaign_id=scored.campaign_id if sponsored else None,
            charge=scored.charge if sponsored else None,
        )


class RankingBody(Message):
    """The answer to one request."""

    request_id: str
    """Ties impressions and clicks to this answer; send it with their events."""
    surface: Surface
    model_version: str
    items: tuple[RankedItem, ...]
    """Best first."""

    @classmethod
    def of(cls, ranking: Ranking) -> Self:
        return cls(
            request_id=ranking.request_id,
            surface=ranking.surface,
            model_version=ranking.model_version,
            items=tuple(RankedItem.of(scored) for scored in ranking.items),
        )


class ItemBody(Message):
    """The catalogue's entry of one item."""

    item_id: str
    title: str
    category: str
    brand: str
    price: float | None
    attributes: str
    """JSON object of further properties, or empty."""
    available: bool

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            item_id=item.item_id,
            title=item.title,
            category=item.category,
            brand=item.brand,
            price=item.price,
            attributes=item.attributes,
            available=item.available,
        )


def within(limits: ServeOptions, body: type[RankBody]) -> type[RankBody]:
    """``body`` under the limits of one server, so that all mistakes are found in one pass."""
    limited = create_model(body.__name__, __base__=body, __doc__=body.__doc__)
    limited.limits = limits
    return limited


def rank_request(body: RankBody, surface: Surface, now: datetime) -> RankRequest:
    """The question in our own words, with the times filled in that the body left out."""
    known = [event.timestamp for event in body.history if event.timestamp is not None]
    at = body.at or max([now, *(time + _MOMENT for time in known)])
    return RankRequest(
        request_id=uuid4().hex,
        surface=surface,
        at=at.astimezone(UTC),
        query=body.query if isinstance(body, SearchBody | AdsBody) else "",
        history=_events(body, at),
        k=body.k,
    )


def _events(body: RankBody, at: datetime) -> tuple[Event, ...]:
    """Walks from newest to oldest: an event without a time shares that of its follower."""
    time, newest_first = at - _MOMENT, []
    for event in reversed(body.history):
        time = event.timestamp or time
        newest_first.append(
            Event(
                kind=event.event,
                actor=body.user_id or _ANONYMOUS,
                item_id=event.item_id,
                at=time,
                query=event.query,
            )
        )
    return tuple(reversed(newest_first))


def _known(value: float) -> float | None:
    """JSON has no nan: what cannot be computed is null there."""
    return None if isnan(value) else value
