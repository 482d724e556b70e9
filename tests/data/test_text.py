from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.config import TextOptions
from shelfwise.data.normalise import normalise
from shelfwise.data.prepared import item_of
from shelfwise.data.text import encoded_texts, item_text, item_texts, query_text
from shelfwise.schema.item import Item

EVERYTHING = TextOptions(fields=("title", "category", "brand", "attributes", "price"))


def test_the_fields_in_their_order() -> None:
    item = Item("i1", "red shoe", "wear > shoes", "Acme", 12.5, '{"size": 42, "for": "men"}')

    assert item_text(item, EVERYTHING) == "red shoe, wear shoes, Acme, 42, men, price 12.50"
    assert item_text(item, TextOptions()) == "red shoe, wear shoes, Acme"
    assert item_text(item, TextOptions(fields=("brand", "title"))) == "Acme, red shoe"


def test_what_the_shop_did_not_say_is_left_out() -> None:
    assert item_text(Item("i1", brand="Acme"), EVERYTHING) == "Acme"
    assert item_text(Item("i1", "shoe", price=0.0), EVERYTHING) == "shoe, price 0.00"


def test_an_item_of_which_nothing_is_said_is_its_id() -> None:
    assert item_text(Item("i1"), EVERYTHING) == "i1"
    assert item_text(Item("i1", title="shoe"), TextOptions(fields=("brand",))) == "i1"


@pytest.mark.parametrize(
    ("title", "brand", "text"),
    [
        ("ACME red shoe", "Acme", "ACME red shoe"),
        ("shoe (acme)", "Acme", "shoe (acme)"),
        ("hp printer", "HP", "hp printer"),
        ("graphpaper", "HP", "graphpaper, HP"),  # not as a word
        ("graphpaper by HP", "HP", "graphpaper by HP"),
        ("华为手机P60", "华为", "华为手机P60"),  # Chinese writes no gaps
        ("苹果iPhone", "iPhone", "苹果iPhone"),
        ("", "Acme", "Acme"),
    ],
)
def test_a_brand_that_the_title_names_is_not_said_twice(title: str, brand: str, text: str) -> None:
    assert item_text(Item("i1", title, brand=brand), TextOptions()) == text


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ('{"a": "", "b": null, "c": 0, "d": false}', "0, False"),
        ('{"a": ["x", "y"]}', "['x', 'y']"),
        ("{}", "i1"),
        ("", "i1"),
        ("[1, 2]", "[1, 2]"),  # no object: kept as it is
        ("cotton, washable", "cotton, washable"),
    ],
)
def test_attributes_are_their_values(attributes: str, text: str) -> None:
    item = Item("i1", attributes=attributes)

    assert item_text(item, TextOptions(fields=("attributes",))) == text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("  red\t shoe\n", "red shoe"),
        ("\uff52\uff45\uff44 shoe", "red shoe"),  # wide letters
        ("red &amp; blue", "red & blue"),
        ("红\u3000鞋", "红 鞋"),
        ("\u200b", ""),
    ],
)
def test_a_query_is_written_as_prepare_writes_those_of_the_log(query: str, text: str) -> None:
    assert query_text(query) == text
    assert normalise(pl.Series([query])).to_list() == [text]


WORDS = st.sampled_from(
    ["red", "Acme", "acme", "ACME shoe", "graphpaper", "hp", "", "红鞋", "ẞ", "a > b"]
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "title": st.lists(WORDS, max_size=3).map(" ".join) | st.none(),
                "category": WORDS | st.none(),
                "brand": WORDS | st.none(),
                "attributes": st.sampled_from([None, "{}", '{"a": 1, "b": null}', "no json"]),
                "price": st.none() | st.floats(0, 1e6, allow_nan=False),
            }
        ),
        min_size=1,
        max_size=8,
    ),
    st.permutations(["title", "category", "brand", "attributes", "price"]),
)
def test_all_items_are_written_as_each_of_them(
    rows: list[dict[str, object]], fields: list[str]
) -> None:
    table = pl.DataFrame(
        [{"item_id": f"i{place}", **row} for place, row in enumerate(rows)],
        schema={
            **dict.fromkeys(("item_id", "title", "category", "brand", "attributes"), pl.String),
            "price": pl.Float64,
        },
    )
    options = TextOptions.model_validate({"fields": fields})

    each = [item_text(item_of(row), options) for row in table.iter_rows(named=True)]

    assert item_texts(table, options).to_list() == each


def test_a_shop_of_ids_alone_has_nothing_to_read() -> None:
    ids = pl.DataFrame({"item_id": ["a1", "b2"], "text": ["a1", "b2"]})
    one_title = pl.DataFrame({"item_id": ["a1", "b2"], "text": ["a1", "Mug"]})

    assert encoded_texts(ids) == ["", ""]
    assert encoded_texts(one_title) == ["a1", "Mug"]
