"""Hand-made searches: what was shown, clicked, booked; hotels in words."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import polars as pl
import pytest
from data.readers.as_read import as_read, said

from shelfwise.data.readers.expedia import COLUMNS, to_shop

AT = datetime(2013, 4, 4, 8, 32, 15, tzinfo=UTC)


def shown(**changes: object) -> dict[str, object]:
    return {
        **{"request_id": "4", "timestamp": AT, "item_id": "893", "position": 2, "price": 104.77},
        **{"clicked": 0, "booked": 0, "stars": 3.0, "review_score": 3.5, "chain": 1},
        **{"location_score_1": 2.83, "country": "219", "random_order": 1, "nights": 2},
        **changes,
    }


def test_a_booked_row_is_an_impression_a_click_and_a_purchase() -> None:
    shop = to_shop(as_read(COLUMNS, shown(clicked=1, booked=1, paid=229.5)))

    tie = {"session_id": "4", "request_id": "4", "item_id": "893", "timestamp": AT}
    tie["surface"] = "search"
    assert said(shop.tables["events"]) == [
        {"event": "impression", **tie, "position": 2, "price": 104.77}
        | {"nights": 2, "random_order": 1},
        {"event": "click", **tie, "price": 104.77},
        {"event": "purchase", **tie, "price": 229.5, "quantity": 1.0},
    ]
    assert shop.kept == {"impression": 1}


def test_random_order_claims_no_propensity() -> None:
    shop = to_shop(as_read(COLUMNS, shown(random_order=1)))

    assert "propensity" not in shop.tables["events"].columns


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "hotel with 3 stars, part of a chain, reviewed 3.5 of 5"),
        ({"stars": 0.0, "chain": 0, "review_score": 0.0}, "hotel without stars, not reviewed"),
        ({"chain": 0, "review_score": None}, "hotel with 3 stars"),
    ],
)
def test_a_hotel_in_words(changes: dict[str, object], title: str) -> None:
    (item,) = to_shop(as_read(COLUMNS, shown(**changes))).tables["catalogue"].to_dicts()

    assert (item["item_id"], item["title"], item["category"]) == ("893", title, "country 219")


def test_what_never_changes_of_a_hotel_are_its_features() -> None:
    shop = to_shop(as_read(COLUMNS, shown()))

    features = ["stars", "review_score", "chain", "location_score_1"]
    assert shop.tables["catalogue"].select(features).rows() == [(3.0, 3.5, 1, 2.83)]
    assert list(tomllib.loads(shop.shop_toml)["features"]["items"]) == features


def test_what_is_said_of_the_search_and_of_one_offer_stands_beside_the_impression() -> None:
    shop = to_shop(as_read(COLUMNS, shown(promotion=1, nights=2)))

    declared = tomllib.loads(shop.shop_toml)["features"]["events"]
    assert ("nights" in declared, "promotion" in declared) == (True, True)
    assert shop.tables["events"]["promotion"].to_list() == [1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request_id": None}, "search, time, hotel or position missing"),
        ({"timestamp": None}, "search, time, hotel or position missing"),
        ({"item_id": None}, "search, time, hotel or position missing"),
        ({"position": None}, "search, time, hotel or position missing"),
        ({"clicked": None}, "click or booking not said"),
        ({"booked": None}, "click or booking not said"),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(as_read(COLUMNS, shown(), shown(**changes)))

    assert shop.kept == {"impression": 1}
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]


def test_what_was_found() -> None:
    # Search 4 shows places 1 and 3: a gap, and a click. Search 5 has no click.
    rows = (shown(position=1, clicked=1), shown(position=3), shown(request_id="5", position=1))

    found = to_shop(as_read(COLUMNS, *rows)).found

    assert (found["searches"], found["clicks"], found["bookings"]) == (2, 1, 0)
    assert found["searches without a click"] == 1
    assert found["searches whose list has gaps"] == 1
    assert (found["hotels"], found["hotels whose stars varies"]) == (1, 0)


def test_training_says_what_a_hotel_is_called() -> None:
    # 20 searches, one a second: validation begins with the 15th. Four stars, said five times in
    # validation and test, give way to three, said twice in training.
    rows = [
        shown(request_id=str(second), timestamp=AT.replace(second=second), stars=stars)
        for second, stars in enumerate([3.0, 3.0, *[None] * 13, *[4.0] * 5])
    ]
    shop = to_shop(as_read(COLUMNS, *rows))

    split = tomllib.loads(shop.shop_toml)["split"]
    assert split["validation_start"] == AT.replace(second=14)
    assert split["test_start"] == AT.replace(second=17)
    assert shop.tables["catalogue"]["title"].str.starts_with("hotel with 3 stars").all()
    assert shop.found["hotels whose stars varies"] == 1


def test_outcomes_are_final_at_once() -> None:
    toml = tomllib.loads(to_shop(as_read(COLUMNS, shown())).shop_toml)

    # Otherwise the last week's clicks would be unknown, though the log tells their outcome.
    assert toml["attribution"]["purchase_window_days"] < 1 / 24 / 60 * 2


def test_outcomes_repeat_no_features() -> None:
    shop = to_shop(as_read(COLUMNS, shown(clicked=1)))

    assert shop.tables["events"].filter(pl.col("event") == "click")["nights"].to_list() == [None]
