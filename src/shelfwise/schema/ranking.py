"""A question to the ranker, its answer, and the role of whoever scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shelfwise.schema.event import Event, Surface
from shelfwise.schema.item import Item


@dataclass(frozen=True, slots=True)
class RankRequest:
    """Whom to rank for, where, and after what."""

    request_id: str
    surface: Surface
    at: datetime  # UTC; history from this moment on is not looked at
    query: str = ""  # empty where the user typed nothing
    history: tuple[Event, ...] = ()  # oldest first
    k: int = 10


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """An item with what the model believes of it; nan where the log could not teach a head."""

    item: Item
    match: float  # the retrieval score: higher is a closer match, no unit
    p_click: float  # P(click | shown)
    p_convert: float  # P(purchase | click)
    campaign_id: str = ""  # set in a sponsored slot
    charge: float = 0.0  # what a click on a sponsored slot costs the advertiser


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer to one request."""

    request_id: str
    surface: Surface
    items: tuple[ScoredItem, ...]  # best first
    model_version: str


class Scorer(Protocol):
    """Gives candidates of a request their probabilities; knows nothing of retrieval or policy."""

    def score(self, request: RankRequest, candidates: Sequence[Item]) -> tuple[ScoredItem, ...]:
        """One ScoredItem per candidate, in the order given."""
