"""One language's world: what is sold, to whom, who advertises, and who only pretends to shop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shelfwise.data.sample_shop.arrivals import with_arrivals
from shelfwise.data.sample_shop.bots import NO_BOTS, Bots
from shelfwise.data.sample_shop.campaigns import Campaigns, draw_campaigns
from shelfwise.data.sample_shop.catalogue import Catalogue, draw_catalogue, shop_vocabulary
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.shoppers import Shoppers, draw_shoppers


@dataclass(frozen=True, slots=True)
class Storefront:
    """Everything that stays the same while the log is written."""

    catalogue: Catalogue
    shoppers: Shoppers
    campaigns: Campaigns
    bots: Bots = NO_BOTS


def open_storefront(
    language: str, users: int, items: int, options: SampleOptions, rng: np.random.Generator
) -> Storefront:
    """Draw a language's catalogue, shoppers and campaigns."""
    vocabulary = shop_vocabulary(language, options.domains)
    catalogue = with_arrivals(
        draw_catalogue(vocabulary, items, rng), options.new_item_share, options.days, rng
    )
    return Storefront(
        catalogue=catalogue,
        shoppers=draw_shoppers(vocabulary, users, rng),
        campaigns=draw_campaigns(catalogue, users, options, rng),
    )
