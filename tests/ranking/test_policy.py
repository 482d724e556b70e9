from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.ranking.policy import (
    ByCostPerMille,
    ByExpectedRevenue,
    ByRelevance,
    Policy,
    order,
    second_price,
)
from shelfwise.schema.item import Campaign, Item
from shelfwise.schema.ranking import ScoredItem

NAN = float("nan")


def scored(
    item_id: str,
    match: float = 0,
    click: float = NAN,
    convert: float = NAN,
    price: float | None = 1,
) -> ScoredItem:
    return ScoredItem(Item(item_id, price=price), match, click, convert)


def ids(ranked: list[ScoredItem]) -> list[str]:
    return [one.item.item_id for one in ranked]


def test_relevance_is_the_click_and_else_the_match() -> None:
    items = [scored("a", 9, 0.1), scored("b", 1, 0.3), scored("c", 5, 0.2)]
    assert ids(order(items, ByRelevance(), 3)) == ["b", "c", "a"]

    untaught = [scored("a", 2), scored("b", 7), scored("c", 5)]
    assert ids(order(untaught, ByRelevance(), 3)) == ["b", "c", "a"]


def test_revenue_by_hand() -> None:
    items = [
        scored("a", click=0.5, convert=0.1, price=10),  # 0.5
        scored("b", click=0.1, convert=0.1, price=100),  # 1.0
        scored("c", click=0.9, convert=0.9, price=None),  # nothing known of its price
        scored("d", click=NAN, price=50),
    ]

    assert [ByExpectedRevenue().utility(one) for one in items] == pytest.approx([0.5, 1, 0, 0])
    assert ids(order(items, ByExpectedRevenue(), 2)) == ["b", "a"]


def test_revenue_without_conversion_goes_by_click_and_price() -> None:
    items = [scored("a", 9, click=0.5, price=10), scored("b", 1, click=0.1, price=100)]  # 5 and 10

    assert ids(order(items, ByExpectedRevenue(), 2)) == ["b", "a"]


def test_equal_utilities_go_by_match_then_by_id() -> None:
    items = [scored("b", 1, 0.5), scored("c", 2, 0.5), scored("a", 1, 0.5)]

    assert ids(order(items, ByRelevance(), 9)) == ["c", "a", "b"]


@pytest.mark.parametrize(
    "policy",
    [ByRelevance(), ByExpectedRevenue(), ByCostPerMille({"a": 2.0, "b": 1.0, "c": 3.0})],
)
def test_every_policy_likes_what_is_clicked_more(policy: Policy) -> None:
    low = scored("a", 1, 0.2, 0.5, price=5)

    assert policy.utility(replace(low, p_click=0.4)) > policy.utility(low) > 0
    assert isinstance(policy.utility(low), float)


CAMPAIGNS = {
    name: Campaign(f"c-{name}", name, bid) for name, bid in [("a", 1.0), ("b", 0.5), ("c", 4.0)]
}
BIDS = ByCostPerMille({name: campaign.bid for name, campaign in CAMPAIGNS.items()})


def test_second_prices_by_hand() -> None:
    # eCPM: a 1000 x 1 x .10 = 100, b 1000 x .5 x .12 = 60, c 1000 x 4 x .01 = 40.
    items = [scored("c", click=0.01), scored("b", click=0.12), scored("a", click=0.10)]
    ranked = order(items, BIDS, 3)

    charged = second_price(ranked, BIDS, CAMPAIGNS)

    assert ids(charged) == ["a", "b", "c"]
    # a pays b's 60 per mille over its own 100 clicks per mille: .60; b pays 40/120; c pays nothing.
    assert [one.charge for one in charged] == pytest.approx([0.6, 1 / 3, 0])
    assert [one.campaign_id for one in charged] == ["c-a", "c-b", "c-c"]


def test_without_a_click_rate_the_bid_decides() -> None:
    ranked = order([scored("a"), scored("b"), scored("c")], BIDS, 3)

    assert ids(ranked) == ["c", "a", "b"]
    charged = second_price(ranked, BIDS, CAMPAIGNS)
    assert [one.charge for one in charged] == pytest.approx([1, 0.5, 0])


probabilities = st.floats(0, 1)
bids = st.floats(0, 1e6)


@given(st.lists(st.tuples(probabilities, bids), max_size=6))
def test_nobody_pays_more_than_the_bid_or_less_than_the_next(
    offers: list[tuple[float, float]],
) -> None:
    campaigns = {
        str(place): Campaign(f"c{place}", str(place), bid) for place, (_, bid) in enumerate(offers)
    }
    policy = ByCostPerMille({name: campaign.bid for name, campaign in campaigns.items()})
    items = [scored(str(place), click=click) for place, (click, _) in enumerate(offers)]

    charged = second_price(order(items, policy, len(items)), policy, campaigns)

    for place, one in enumerate(charged):
        bid = campaigns[one.item.item_id].bid
        assert 0 <= one.charge <= bid
        below = policy.utility(charged[place + 1]) if place + 1 < len(charged) else 0
        # At that charge the place is just kept; clicks too rare for a float's range apart.
        if policy.utility(one) > 1e-200:
            kept = replace(policy, bid={one.item.item_id: one.charge})
            assert kept.utility(one) == pytest.approx(below, rel=1e-9, abs=1e-200)
