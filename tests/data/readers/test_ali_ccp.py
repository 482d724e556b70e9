"""Hand-made rows of Ali-CCP's flat form, in which 0 is nobody and nothing."""

from __future__ import annotations

import polars as pl
import pytest
from data.readers.as_read import as_read, said

from shelfwise.data.readers.ali_ccp import COLUMNS, to_shop


def row(**changes: object) -> dict[str, object]:
    return {
        **{"clicked": 0, "bought": 0, "user_id": "7", "item_id": "3", "gender": "2"},
        **{"category": "5", "shop": "6", "intention": "8", "brand": "9"},
        **{"placement": "1", "history_category": "4", "history_category_weight": 0.47},
        **changes,
    }


def test_a_bought_row_is_three_events() -> None:
    shop = to_shop(as_read(COLUMNS, row(clicked=1, bought=1)))

    tie = {"user_id": "7", "request_id": "1", "item_id": "3", "sequence": 1}
    tie["surface"] = "recommendation"
    item = {"item_category": "5", "item_shop": "6", "item_intention": "8", "item_brand": "9"}
    context = {"placement": "1", "history_category": "4", "history_category_weight": 0.47}
    assert said(shop.tables["events"]) == [
        {"event": "impression", **tie, **item, **context},
        {"event": "click", **tie},
        {"event": "purchase", **tie},
    ]


def test_user_0_is_a_session_of_the_row() -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(user_id="0")))

    assert shop.tables["events"].select("user_id", "session_id").rows() == [
        ("7", None),
        (None, "2"),
    ]
    assert shop.tables["users"]["user_id"].to_list() == ["7"]
    assert shop.found["rows of no known user"] == 1


def test_nothing_is_said_of_item_0() -> None:
    rows = (row(item_id="0"), row(item_id="0", category="1"), row(brand="0"), row(item_id="12"))

    catalogue = to_shop(as_read(COLUMNS, *rows)).tables["catalogue"]

    assert catalogue.columns == ["item_id", "category", "brand", "shop", "intention"]
    assert catalogue.rows() == [
        ("0", None, None, None, None),
        ("3", "category 5", None, "shop 6", "intention 8"),  # a brand of 0 is not known
        ("12", "category 5", "brand 9", "shop 6", "intention 8"),
    ]


def test_a_user_is_described_by_the_first_row() -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(gender="1"), row(user_id="8")))

    users = shop.tables["users"]
    assert users.select("user_id", "gender").rows() == [("7", "2"), ("8", "2")]
    assert shop.found["users described in several ways"] == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user_id": None}, "user or item missing"),
        ({"item_id": None}, "user or item missing"),
        ({"bought": None}, "click or purchase not said"),
        ({"bought": 1}, "bought without a click"),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(**changes)))

    assert shop.kept == {"impression": 1}
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]


def test_places_in_the_file_are_the_only_order() -> None:
    events = to_shop(as_read(COLUMNS, row(), row(clicked=1), row())).tables["events"]

    assert "timestamp" not in events.columns
    assert events["sequence"].to_list() == [1, 2, 2, 3]
    assert events.schema["sequence"] == pl.Int64
