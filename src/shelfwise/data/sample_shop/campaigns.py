"""Advertisers: which item they push, when, and what they offer for a click."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Floats, Ints
from shelfwise.data.sample_shop.requests import DAY_MS

_CAMPAIGNS_PER_ITEM = 0.024
_FEWEST = 12
_OPEN_ENDED_SHARE = 0.3
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
    wish_K: Floats  # the budget that the advertiser had in mind
    titles: tuple[str, ...]  # empty where the item's own title serves

    def __len__(self) -> int:
        return len(self.item_K)


def draw_campaigns(catalogue: Catalogue, days: int, rng: np.random.Generator) -> Campaigns:
    """Distinct available items, popular ones no more often; some campaigns never end."""
    count = max(_FEWEST, round(_CAMPAIGNS_PER_ITEM * len(catalogue)))
    item_K = rng.choice(np.flatnonzero(catalogue.available_I), size=count, replace=False)
    bid_K = np.clip(_BID_SHARE * catalogue.price_I[item_K] * rng.lognormal(0, 0.4, count), 0.05, 5)
    open_ended_K = np.arange(count) < max(2, round(_OPEN_ENDED_SHARE * count))
    length_K = rng.uniform(0.15, 0.7, count) * days
    start_K = np.where(open_ended_K, 0, rng.uniform(-0.2, 0.9, count) * days).clip(0) * DAY_MS
    end_K = start_K + length_K * DAY_MS
    slogans = _SLOGANS[catalogue.vocabulary.language]
    own_K = rng.random(count) < _OWN_TITLE_SHARE
    slogan_K = rng.integers(0, len(slogans), count)
    return Campaigns(
        item_K=item_K,
        bid_K=np.round(bid_K, 2),
        start_K=start_K.astype(np.int64),
        end_K=np.where(open_ended_K, FOREVER_MS, end_K.astype(np.int64)),
        wish_K=rng.choice([50.0, 100.0, 200.0, 400.0], size=count),
        titles=tuple(
            slogans[slogan].format(title=catalogue.titles[item]) if own else ""
            for item, own, slogan in zip(item_K, own_K, slogan_K, strict=True)
        ),
    )


def budgets(campaigns: Campaigns, clicks_K: Ints) -> Floats:
    """Budget of each campaign: as wished, or raised to what the log shows was spent.

    The log has no record of a campaign stopped for want of money, so none may have overspent.
    """
    spent_K = clicks_K * campaigns.bid_K
    return np.asarray(np.maximum(campaigns.wish_K, 50 * np.ceil(spent_K / 50)))
