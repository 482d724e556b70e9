"""Something that happened in the shop, as one line of its log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """The behaviours Shelfwise knows; a shop's own names are mapped onto them in shop.toml."""

    SEARCH = "search"
    IMPRESSION = "impression"
    VIEW = "view"
    CLICK = "click"
    FAVOURITE = "favourite"
    CART = "cart"
    PURCHASE = "purchase"
    RETURN = "return"


# Strength of interest that a behaviour shows, weakest first; a return takes interest back.
INTEREST_ORDER = (
    EventKind.VIEW,
    EventKind.CLICK,
    EventKind.FAVOURITE,
    EventKind.CART,
    EventKind.PURCHASE,
)


class Surface(StrEnum):
    """Where in the shop a ranking is shown."""

    SEARCH = "search"
    RECOMMENDATION = "recommendation"
    ADS = "ads"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a behaviour log; ``actor`` is the user or, where unknown, the session."""

    kind: EventKind
    actor: str
    item_id: str | None  # None for a search
    at: datetime  # UTC
    query: str = ""
    request_id: str | None = None
    surface: Surface | None = None
    position: int | None = None  # 1 is the first place
