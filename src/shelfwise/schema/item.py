"""What the shop sells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the catalogue; empty strings and None where the shop did not say."""

    item_id: str
    title: str = ""
    category: str = ""  # path from broad to narrow, joined by " > "
    brand: str = ""
    price: float | None = None
    attributes: str = ""  # JSON object
    available: bool = True


@dataclass(frozen=True, slots=True)
class Campaign:
    """An advertiser's offer to show an item."""

    campaign_id: str
    item_id: str
    bid: float  # per click
    title: str = ""
    budget: float | None = None  # None: no limit
