from __future__ import annotations

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.requests import (
    DAY_MS,
    Bought,
    draw_moments,
    draw_reorders,
    draw_visits,
    since_first,
)
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


def test_weeks_and_days_have_their_busy_times() -> None:
    # The log begins on Wednesday, 1 January 2025, and lasts four weeks.
    options = OPTIONS.model_copy(update={"days": 28})
    count = 100_000

    at = draw_moments(count, options, np.random.default_rng(0))

    weekday = (2 + at // DAY_MS) % 7
    share = np.bincount(weekday, minlength=7) / count
    # Saturday 1.3 of 1 + .95 + .95 + 1 + 1.1 + 1.3 + 1.35 = 7.65: .170; Tuesday .95: .124.
    # Four standard deviations are at most .005.
    assert share[5] == pytest.approx(1.3 / 7.65, abs=0.005)
    assert share[1] == pytest.approx(0.95 / 7.65, abs=0.005)
    hour = np.bincount(at // 3_600_000 % 24, minlength=24) / count
    assert hour.argmax() == 20
    assert hour[1:5].sum() == pytest.approx(4 / 187, abs=0.002)  # of 187


def test_time_since_the_first_of_each_session_by_hand() -> None:
    since = since_first(np.array([5, 5, 5, 6, 7, 7]), np.array([7, 2, 3, 9, 1, 4]))

    assert since.tolist() == [0, 2, 5, 0, 0, 4]


def test_devices_are_mostly_the_usual_one(catalogue: Catalogue, shoppers: Shoppers) -> None:
    requests = draw_visits(shoppers, catalogue, OPTIONS, np.random.default_rng(3))

    _, first = np.unique(requests.session_R, return_index=True)
    usual = shoppers.device_U[requests.user_R[first]] == requests.device_R[first]
    # One of five sessions is on any device, which is the usual one for at least 8 of 100.
    assert 0.8 < usual.mean() < 0.95
    same = requests.session_R[1:] == requests.session_R[:-1]
    assert (requests.device_R[1:] == requests.device_R[:-1])[same].all()
