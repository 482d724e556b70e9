"""Hand-made clicks: decoding, rows that disagree, rows that cannot be dated."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from shelfwise.data.readers.eshop_clothing import COLUMNS, to_shop

TYPES = {"integer": pl.Int64, "number": pl.Float64, "id": pl.String}
SCHEMA = {"line": pl.Int64, **{column.name: TYPES[column.kind] for column in COLUMNS}}


def click(**changes: object) -> dict[str, object]:
    return {
        **{"year": 2008, "month": 4, "day": 1, "order": 1, "country": "29", "session_id": "1"},
        **{"category": "1", "item_id": "A13", "colour": "3", "location": "5"},
        **{"photography": "1", "price": 28.0, "price_tier": "2", "page": "1"},
        **changes,
    }


def table(*clicks: dict[str, object]) -> pl.DataFrame:
    numbered = [{"line": number, **row} for number, row in enumerate(clicks, start=1)]
    return pl.DataFrame(numbered, schema=SCHEMA)


def test_a_row_becomes_a_click_on_its_day() -> None:
    assert to_shop(table(click(order=7))).tables["events"].to_dicts() == [
        {
            "event": "click",
            "session_id": "1",
            "item_id": "A13",
            "timestamp": datetime(2008, 4, 1, tzinfo=UTC),
            "sequence": 7,
            "price": 28.0,
            "country": "Poland",
        }
    ]


def test_an_item_is_described_in_words() -> None:
    (item,) = to_shop(table(click())).tables["catalogue"].to_dicts()

    assert item["title"] == "blue trousers, photographed en face, 28 USD, below average price"
    assert (item["category"], item["price"], item["language"]) == ("trousers", 28.0, "en")
    assert json.loads(item["attributes"]) == {
        "colour": "blue",
        "photography": "en face",
        "price_tier": "below average",
        "location": "bottom middle",
        "page": "1",
    }


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        (
            {"category": "4", "colour": "9", "photography": "2", "price_tier": "1", "price": 62.5},
            "multicolour clothes on sale, photographed in profile, 62.5 USD, above average price",
        ),
        (
            {"category": "2", "colour": "15"},
            "colour 15 skirts, photographed en face, 28 USD, below average price",
        ),
        ({"colour": None, "photography": None, "price": None}, "trousers, below average price"),
    ],
)
def test_titles_of_other_codes(changes: dict[str, object], title: str) -> None:
    assert to_shop(table(click(**changes))).tables["catalogue"]["title"].to_list() == [title]


def test_training_decides_where_rows_disagree() -> None:
    shop = to_shop(
        table(
            click(colour="2"),
            click(order=2, colour="2"),
            click(order=3, colour="3"),
            *[click(month=8, session_id="2", order=order, colour="12") for order in range(1, 9)],
        )
    )

    assert shop.tables["catalogue"]["title"].str.starts_with("black trousers").to_list() == [True]
    assert shop.found["items whose colour varies"] == 1
    assert shop.found["items whose price varies"] == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"session_id": None}, "session, model, order or date missing"),
        ({"item_id": None}, "session, model, order or date missing"),
        ({"order": None}, "session, model, order or date missing"),
        ({"month": None}, "session, model, order or date missing"),
        ({"month": 2, "day": 31}, "no such day"),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(table(click(), click(**changes)))

    assert shop.tables["events"].height == 1
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]


def test_clicks_are_in_order_within_their_session() -> None:
    shop = to_shop(table(click(order=10), click(order=9), click(order=1, day=2, session_id="0")))

    assert shop.tables["events"].select("session_id", "sequence").rows() == [
        ("1", 9),
        ("1", 10),
        ("0", 1),
    ]
