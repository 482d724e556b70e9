from __future__ import annotations

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.requests import DAY_MS, Bought, draw_reorders, draw_visits
from shelfwise.data.sample_shop.shoppers import Shoppers

OPTIONS = SampleOptions(users=50, items=400, days=30, visits_per_month=20)


def test_intents_come_from_the_shoppers_interest(catalogue: Catalogue, shoppers: Shoppers) -> None:
    requests = draw_visits(shoppers, catalogue, OPTIONS, np.random.default_rng(0))

    liked_UT = (shoppers.early_UT > 0) | (shoppers.late_UT > 0)
    assert liked_UT[requests.user_R, requests.intent_R].all()
    assert ((requests.at_R >= 0) & (requests.at_R < 30 * DAY_MS)).all()
    # Searches have no anchor, shelves have one.
    assert ((requests.anchor_R >= 0) == ~requests.is_search_R).all()
    # 50 shoppers * 20 visits; Poisson(1000) strays less than 4 * sqrt(1000) = 127
    assert abs(len(np.unique(requests.session_R)) - 1_000) < 127


def test_a_session_is_one_shopper_going_forward(catalogue: Catalogue, shoppers: Shoppers) -> None:
    requests = draw_visits(shoppers, catalogue, OPTIONS, np.random.default_rng(1))

    same = requests.session_R[1:] == requests.session_R[:-1]
    assert same.any()
    assert (requests.user_R[1:] == requests.user_R[:-1])[same].all()
    assert (np.diff(requests.at_R)[same] >= 60_000).all()


def test_only_what_is_used_up_is_ordered_again(catalogue: Catalogue, shoppers: Shoppers) -> None:
    days_T = np.array([row.reorder_days for row in catalogue.vocabulary.types])
    item = np.arange(len(catalogue))
    bought = Bought(user_P=item % 50, item_P=item, at_P=np.zeros_like(item))

    again = draw_reorders(bought, shoppers, catalogue, 7, OPTIONS, np.random.default_rng(2))

    lasts = days_T[catalogue.type_I[again.again_R]]
    assert len(again) > 0
    assert (lasts > 0).all()
    assert (again.user_R == again.again_R % 50).all()
    assert (again.at_R >= 0.75 * lasts * DAY_MS - 1).all()
    assert (again.at_R < np.minimum(1.25 * lasts, 30) * DAY_MS).all()
    assert again.session_R.min() == 7
