"""How much showing an item is worth: the one place where an order is decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isnan
from typing import Protocol

from shelfwise.schema.item import Campaign
from shelfwise.schema.ranking import ScoredItem


class Policy(Protocol):
    """Larger is better; units are the policy's own."""

    def utility(self, scored: ScoredItem) -> float: ...


@dataclass(frozen=True, slots=True)
class ByRelevance:
    """The item most likely to be clicked; by match where the log could not teach a click rate."""

    def utility(self, scored: ScoredItem) -> float:
        return scored.match if isnan(scored.p_click) else scored.p_click


@dataclass(frozen=True, slots=True)
class ByExpectedRevenue:
    """Money expected from showing the item: P(click) x P(purchase | click) x price.

    Where conversion was not learned it counts as the same for all: P(click) x price.
    """

    def utility(self, scored: ScoredItem) -> float:
        if isnan(scored.p_click) or scored.item.price is None:
            return 0.0
        p_convert = 1.0 if isnan(scored.p_convert) else scored.p_convert
        return scored.p_click * p_convert * scored.item.price


@dataclass(frozen=True, slots=True)
class ByCostPerMille:
    """Ads: money expected from a thousand impressions, 1000 x bid x P(click) (eCPM)."""

    bid: Mapping[str, float]  # item id -> bid per click
    floor: float = 1e-3  # stands in for P(click) where the log could not teach it

    def utility(self, scored: ScoredItem) -> float:
        p_click = self.floor if isnan(scored.p_click) else scored.p_click
        return 1000 * self.bid[scored.item.item_id] * p_click


def order(items: Iterable[ScoredItem], policy: Policy, k: int) -> list[ScoredItem]:
    """The k items of highest utility; equal utilities by match, then by item id."""
    return sorted(items, key=lambda s: (-policy.utility(s), -s.match, s.item.item_id))[:k]


def second_price(
    ranked: list[ScoredItem], policy: ByCostPerMille, campaigns: Mapping[str, Campaign]
) -> list[ScoredItem]:
    """What a click costs each advertiser: just enough to keep its place over the next.

    A place is kept as long as ``bid x P(click)`` is above that of the place below, so the charge
    is the lower place's eCPM divided by the own P(click); the last pays nothing above its rival,
    which does not exist.
    """
    charged = []
    for place, scored in enumerate(ranked):
        bid = campaigns[scored.item.item_id].bid
        own = policy.utility(scored)
        below = policy.utility(ranked[place + 1]) if place + 1 < len(ranked) else 0.0
        charge = bid * (below / own) if own > 0 else 0.0  # so rounded, never above the bid
        campaign = campaigns[scored.item.item_id].campaign_id
        charged.append(replace(scored, campaign_id=campaign, charge=charge))
    return charged
