"""Advertisers: which item they push, when, and what they offer for a click."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Floats, Ints
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.requests import DAY_MS

_CAMPAIGNS_PER_ITEM = 0.024
_FEWEST = 12
_OPEN_ENDED_SHARE = 0.3
_AD_CLICKS_PER_VISIT = 0.08
_BUDGET_STEPS = (0.5, 1.0, 2.0, 4.0, 8.0)
_BID_SHARE = 0.02  # of the item's price, for a click
_OWN_TITLE_SHARE = 0.5
_SLOGANS = {
    "en": ("{title} - free delivery", "This week: {title}", "Shoppers' choice: {title}"),
    "zh": ("{title} 包邮", "本周特惠 {title}", "热卖 {title}"),
}
FOREVER_MS = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Campaigns:
    """One row per campaign; times in milliseconds since the log's start."""

    item_K: Ints
    bid_K: Floats
    start_K: Ints
    end_K: Ints  # FOREVER_MS: open-ended
    budget_K: Floats
    titles: tuple[str, ...]  # empty where the item's own title serves

    def __len__(self) -> int:
        return len(self.item_K)

    def clicks_paid(self) -> Ints:
        """How many clicks each budget pays for."""
        # A hundredth of a cent mends what division loses: .6 / .2 is 2.9999999999999996.
        return np.asarray(np.floor((self.budget_K + 1e-4) / self.bid_K), dtype=np.int64)


def draw_campaigns(
    catalogue: Catalogue, users: int, options: SampleOptions, rng: np.random.Generator
) -> Campaigns:
    """Distinct available items, popular ones no more often; some campaigns never end.

    Budgets pay for half to eight times the clicks that a campaign may expect in so big a shop, so
    some run out before their end.
    """
    days = options.days
    count = max(_FEWEST, round(_CAMPAIGNS_PER_ITEM * len(catalogue)))
    item_K = rng.choice(np.flatnonzero(catalogue.available_I), size=count, replace=False)
    bid_K = np.clip(_BID_SHARE * catalogue.price_I[item_K] * rng.lognormal(0, 0.4, count), 0.05, 5)
    open_ended_K = np.arange(count) < max(2, round(_OPEN_ENDED_SHARE * count))
    length_K = rng.uniform(0.15, 0.7, count) * days
    start_K = np.where(open_ended_K, 0, rng.uniform(-0.2, 0.9, count) * days).clip(0) * DAY_MS
    start_K = np.maximum(start_K, catalogue.added_I[item_K])  # nothing is pushed before it is sold
    end_K = start_K + length_K * DAY_MS
    bid_K = np.round(bid_K, 2)
    expected = max(1.0, _AD_CLICKS_PER_VISIT * users * options.visits_per_month * days / 30 / count)
    slogans = _SLOGANS[catalogue.vocabulary.language]
    own_K = rng.random(count) < _OWN_TITLE_SHARE
    slogan_K = rng.integers(0, len(slogans), count)
    return Campaigns(
        item_K=item_K,
        bid_K=bid_K,
        start_K=start_K.astype(np.int64),
        end_K=np.where(open_ended_K, FOREVER_MS, end_K.astype(np.int64)),
        budget_K=np.ceil(bid_K * expected * rng.choice(_BUDGET_STEPS, size=count)),
        titles=tuple(
            slogans[slogan].format(title=catalogue.titles[item]) if own else ""
            for item, own, slogan in zip(item_K, own_K, slogan_K, strict=True)
        ),
    )
