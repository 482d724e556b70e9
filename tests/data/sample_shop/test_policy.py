from __future__ import annotations

from math import log

import numpy as np
import pytest

from shelfwise.data.sample_shop.campaigns import Campaigns, draw_campaigns
from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.policy import sample_in_order, show_ads


def test_slots_are_filled_from_the_softmax_over_what_is_left() -> None:
    # Weights 1, 2, 3. First slot: 1/6, 2/6, 3/6. After item 2 is gone: 1/3, 2/3; and so on.
    left = {(): 6, (0,): 5, (1,): 4, (2,): 3}
    draws = 30_000
    score = np.tile([log(1), log(2), log(3)], (draws, 1))

    place, propensity = sample_in_order(score, 2, np.random.default_rng(0))

    for row in range(50):
        first, second = place[row]
        assert propensity[row, 0] == pytest.approx((first + 1) / left[()])
        assert propensity[row, 1] == pytest.approx((second + 1) / left[(first,)])
    # Four standard deviations of a share are at most 4 * sqrt(.25 / 30000) = .0116.
    shown_first = np.bincount(place[:, 0], minlength=3) / draws
    assert shown_first == pytest.approx([1 / 6, 2 / 6, 3 / 6], abs=0.012)
    after_2 = place[place[:, 0] == 2, 1]
    assert (after_2 == 1).mean() == pytest.approx(2 / 3, abs=0.017)


def test_only_running_campaigns_are_shown(catalogue: Catalogue) -> None:
    campaigns = Campaigns(
        item_K=np.array([1, 2, 3]),
        bid_K=np.array([0.5, 0.5, 0.5]),
        start_K=np.array([0, 0, 100]),
        end_K=np.array([1_000, 200, 1_000]),
        budget_K=np.array([10.0, 10.0, 10.0]),
        titles=("", "", ""),
    )
    at = np.array([50, 300, 5_000])  # 0 and 1 run; 0 and 2 run; none runs

    anchors, solvent = np.zeros(3, dtype=np.int64), np.array([True, True, True])
    slate = show_ads(anchors, at, (campaigns, solvent), catalogue, np.random.default_rng(0))
    broke = show_ads(anchors, at, (campaigns, ~solvent), catalogue, np.random.default_rng(0))

    assert len(broke.row_N) == 0
    assert sorted(zip(slate.row_N.tolist(), slate.campaign_N.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 2),
    ]
    assert slate.item_N.tolist() == campaigns.item_K[slate.campaign_N].tolist()
    # With two left, the second is certain.
    assert slate.propensity_N[slate.position_N == 2] == pytest.approx([1, 1])


def test_budgets_pay_for_whole_clicks(catalogue: Catalogue) -> None:
    options = SampleOptions(users=500, days=30)
    campaigns = draw_campaigns(catalogue, 500, options, np.random.default_rng(2))

    assert (campaigns.clicks_paid() >= 1).all()
    assert (campaigns.clicks_paid() * campaigns.bid_K <= campaigns.budget_K + 1e-9).all()
    assert catalogue.available_I[campaigns.item_K].all()
    assert len(set(campaigns.item_K.tolist())) == len(campaigns)


def test_a_budget_of_three_bids_pays_three_clicks() -> None:
    # .6 / .2 is 2.9999999999999996 in floating point; 1 / .3 is 3.3.
    campaigns = Campaigns(
        item_K=np.array([1, 2]),
        bid_K=np.array([0.2, 0.3]),
        start_K=np.array([0, 0]),
        end_K=np.array([1, 1]),
        budget_K=np.array([0.6, 1.0]),
        titles=("", ""),
    )

    assert campaigns.clicks_paid().tolist() == [3, 3]
