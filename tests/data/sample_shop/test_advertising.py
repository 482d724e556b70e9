from __future__ import annotations

import numpy as np
import polars as pl

from shelfwise.data.sample_shop.advertising import first_unpaid_page
from shelfwise.data.sample_shop.policy import Slate

from .conftest import WrittenShop


def test_the_page_after_the_last_paid_click_by_hand() -> None:
    # Pages 0 to 3 with two ads each; campaign 0 is clicked on pages 0 and 2, campaign 1 on 1.
    campaign = np.array([0, 1, 1, 2, 0, 2, 0, 1])
    clicked = np.array([True, False, True, False, True, False, True, False])
    slate = Slate(
        row_N=np.repeat(np.arange(4), 2),
        item_N=campaign,
        position_N=np.tile([1, 2], 4),
        propensity_N=np.ones(8),
        campaign_N=campaign,
    )

    assert first_unpaid_page(slate, clicked, np.array([2, 5, 5])) == 3
    assert first_unpaid_page(slate, clicked, np.array([2, 1, 5])) == 2
    assert first_unpaid_page(slate, clicked, np.array([9, 9, 0])) > 3  # never clicked
    assert first_unpaid_page(slate, np.zeros(8, dtype=bool), np.array([1, 1, 1])) > 3


def test_a_campaign_out_of_money_is_shown_no_more(shop: WrittenShop) -> None:
    campaigns = pl.read_csv(shop.folder / "campaigns.csv")
    paid = shop.of_kind("click").drop_nulls("campaign_id").join(campaigns, on="campaign_id")
    spent = paid.group_by("campaign_id", "bid", "budget").agg(
        pl.len().alias("clicks"), pl.col("request_id").max().alias("last")
    )
    exhausted = spent.filter((pl.col("clicks") + 1) * pl.col("bid") > pl.col("budget") + 1e-4)
    shown = shop.of_kind("impression").drop_nulls("campaign_id")
    after = shown.join(exhausted, on="campaign_id").filter(pl.col("request_id") > pl.col("last"))

    assert len(exhausted) > 0
    assert len(after) == 0
