"""Hand-written judgements: grades, markets, labels that are none."""

from __future__ import annotations

import polars as pl
import pytest

from shelfwise.data.readers.esci import COLUMNS, to_shop

SCHEMA = {"line": pl.Int64, **{column.name: pl.String for column in COLUMNS}}


def pair(**changes: object) -> dict[str, object]:
    return {
        **{"query": "mama koala", "product_id": "B01", "locale": "us", "label": "Exact"},
        **{"title": "Diapers", "brand": "Mama Koala", "colour": "Jagger", "split": None},
        **changes,
    }


def table(*pairs: dict[str, object]) -> pl.DataFrame:
    numbered = [{"line": number, **row} for number, row in enumerate(pairs, start=1)]
    return pl.DataFrame(numbered, schema=SCHEMA)


@pytest.mark.parametrize(
    ("label", "grade"),
    [("Exact", 3), ("Substitute", 2), ("Complement", 1), ("Irrelevant", 0), ("E", 3), ("i", 0)],
)
def test_labels_are_grades(label: str, grade: int) -> None:
    assert to_shop(table(pair(label=label))).tables["judgements"].rows() == [
        ("mama koala", "us/B01", grade)
    ]


def test_a_product_is_an_item_of_each_market() -> None:
    spanish = pair(locale="es", title="Pañales", brand=None, colour=None)
    shop = to_shop(table(pair(), spanish, pair(query="cloth diapers")))

    assert shop.tables["catalogue"].rows() == [
        ("es/B01", "Pañales", None, None, "es", "es"),
        ("us/B01", "Diapers", "Mama Koala", '{"colour":"Jagger"}', "en", "us"),
    ]
    assert shop.tables["judgements"].height == 3


def test_the_publishers_split_is_kept_where_there_is_one() -> None:
    assert "published_part" not in to_shop(table(pair())).tables["judgements"].columns
    judged = to_shop(table(pair(split="train"))).tables["judgements"]
    assert judged["published_part"].to_list() == ["train"]


def test_rows_without_a_grade_are_left_out() -> None:
    shop = to_shop(table(pair(label="Unsure"), pair(label=None), pair()))

    assert shop.left_out.select("line", "reason").rows() == [
        (1, "label other than E, S, C or I"),
        (2, "query, product, market or label missing"),
    ]
    assert shop.kept == {"judgement": 1}
