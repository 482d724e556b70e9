"""Hand-made rows of the multi-category store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from data.readers.as_read import as_read

from shelfwise.data.readers.rees46 import COLUMNS, to_shop

AT = datetime(2019, 10, 1, 0, 0, 5, tzinfo=UTC)


def row(**changes: object) -> dict[str, object]:
    return {
        **{"timestamp": AT, "type": "view", "item_id": "3900821", "category_id": "20530135"},
        **{"category": "appliances.environment.water_heater", "brand": "aqua", "price": 33.2},
        **{"user_id": "554748717", "session_id": "9333dfbd"},
        **changes,
    }


def test_a_row_becomes_the_event_it_names() -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(type="purchase"), row(type="cart")))

    assert shop.kept == {"cart": 1, "purchase": 1, "view": 1}
    assert shop.tables["events"].row(0, named=True) == {
        "event": "view",
        "user_id": "554748717",
        "session_id": "9333dfbd",
        "item_id": "3900821",
        "timestamp": AT,
        "price": 33.2,
    }


def test_a_product_in_words() -> None:
    (item,) = to_shop(as_read(COLUMNS, row())).tables["catalogue"].to_dicts()

    assert item["category"] == "appliances > environment > water heater"
    assert (item["brand"], item["price"], item["language"]) == ("aqua", 33.2, "en")
    assert item["category_id"] == "20530135"


def test_the_price_is_that_of_the_first_row() -> None:
    later = AT.replace(second=9)
    rows = (row(timestamp=later, price=20.0), row(price=30.0), row(timestamp=later, price=20.0))

    shop = to_shop(as_read(COLUMNS, *rows))

    assert shop.tables["catalogue"]["price"].to_list() == [30.0]
    assert shop.found["products whose price varies"] == 1


def test_words_that_are_missing_stay_missing() -> None:
    shop = to_shop(as_read(COLUMNS, row(category=None, brand=None)))

    (item,) = shop.tables["catalogue"].to_dicts()
    assert (item["category"], item["brand"]) == (None, None)
    assert shop.found["products without a category in words"] == 1
    assert shop.found["products without a brand"] == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": None}, "time, product or type missing"),
        ({"item_id": None}, "time, product or type missing"),
        ({"type": None}, "time, product or type missing"),
        ({"user_id": None, "session_id": None}, "neither user nor session"),
        ({"type": "remove_from_cart"}, "type of event not known"),
        ({"price": -1.0}, "price below zero"),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(**changes)))

    assert shop.kept == {"view": 1}
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]


@pytest.mark.parametrize("lacks", ["user_id", "session_id", "price", "brand"])
def test_what_may_be_missing(lacks: str) -> None:
    assert to_shop(as_read(COLUMNS, row(**{lacks: None}))).kept == {"view": 1}


def test_a_session_of_two_users_is_counted_and_kept() -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(user_id="1"), row(session_id="other")))

    assert shop.found["sessions of several users"] == 1
    assert shop.tables["events"].height == 3
