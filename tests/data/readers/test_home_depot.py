"""Hand-written judged pairs: grades, damaged letters, products with several titles."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.readers.home_depot import CARD, read, to_shop
from shelfwise.data.readers.published import PublishedFolder

SCHEMA = {
    "line": pl.Int64,
    "item_id": pl.String,
    "title": pl.String,
    "query": pl.String,
    "relevance": pl.Float64,
}


def table(*rows: tuple[object, ...]) -> pl.DataFrame:
    numbered = [(line, *row) for line, row in enumerate(rows, start=1)]
    return pl.DataFrame(numbered, schema=SCHEMA, orient="row")


def test_the_grade_is_relevance_less_one() -> None:
    shop = to_shop(
        table(
            ("1", "Angle", "bracket", 3.0),
            ("2", "Deck Over", "bracket", 2.33),
            ("2", "Deck Over", "deck", 1.0),
        )
    )

    assert shop.tables["judgements"].rows() == [
        ("bracket", "1", 2.0),
        ("bracket", "2", 1.33),
        ("deck", "2", 0.0),
    ]
    assert shop.tables["catalogue"].rows() == [("1", "Angle", "en"), ("2", "Deck Over", "en")]


# UTF-8 read as Windows-1252 and written as Mac Roman, as the file has it: the degree sign is
# C2 B0, "Â°" in Windows-1252, E5 A1 in Mac Roman. The ring above is CB 9A, "Ëš", and Mac Roman
# has no š.
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"30\xe5\xa1 Shank", "30° Shank"),
        (b"90\xe8_ Elbow", "90° Elbow"),
        (b"(5 mm\xe5_) High", "(5 mm²) High"),
        (b"Men\x89\xdb\xaas Large", "Men\N{RIGHT SINGLE QUOTATION MARK}s Large"),
        (b"3\x89\xdb\x90Tier", "3-Tier"),
        (b"Connect\x89\xe3\xa2 Camelot", "Connect™ Camelot"),
        (b"\x95\xc8\xc0Triple Range", "Triple Range"),
        (b"Set\xe5\xca(22-Piece)", "Set (22-Piece)"),
        (b"Lock, \x89\xdb\xdcClay", "Lock, Clay"),
    ],
)
def test_damaged_letters_are_mended(written: bytes, meant: str, tmp_path: Path) -> None:
    header = b'"id","product_uid","product_title","search_term","relevance"\n'
    (tmp_path / "train.csv").write_bytes(header + b'2,100001,"' + written + b'","bracket",3\n')

    rows_in, shop = read(PublishedFolder(CARD, tmp_path))

    assert rows_in == 1
    assert shop.tables["catalogue"]["title"].to_list() == [meant]
    assert shop.changed == {"damaged letters mended": 1}


def test_of_several_titles_the_most_frequent_is_taken() -> None:
    shop = to_shop(
        table(
            ("1", "B", "x", 1.0),
            ("1", "B", "y", 1.0),
            ("1", "A", "z", 1.0),
            ("2", "D", "x", 1.0),
            ("2", "C", "y", 1.0),
        )
    )

    assert shop.tables["catalogue"]["title"].to_list() == ["B", "C"]
    assert shop.found["items with several titles"] == 2


def test_what_is_no_judgement_is_left_out() -> None:
    shop = to_shop(table(("1", "A", "x", 4.0), ("1", "A", None, 2.0), ("1", "A", "x", 2.0)))

    assert shop.left_out.select("line", "reason").rows() == [
        (1, "relevance outside 1 to 3"),
        (2, "product, query or relevance missing"),
    ]
