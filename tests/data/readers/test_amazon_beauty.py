"""Hand-written sequences: places, items without a row, the publisher's bare download."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.readers.amazon_beauty import CARD, read, to_shop
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.user_lines import user_lines
from shelfwise.schema.errors import DataError

ITEMS = pl.DataFrame(
    {
        "line": [1, 2],
        "item_id": ["7", "8"],
        "title": ["Nail Lacquer", None],
        "attribute_ids": ["173 1", "4"],
    }
)


def test_items_become_purchases_with_order_and_no_time() -> None:
    shop = to_shop(user_lines("4 7 8 7\n"), ITEMS)

    assert shop.tables["events"].to_dicts() == [
        {"event": "purchase", "user_id": "4", "item_id": "7", "sequence": 1},
        {"event": "purchase", "user_id": "4", "item_id": "8", "sequence": 2},
        {"event": "purchase", "user_id": "4", "item_id": "7", "sequence": 3},
    ]
    assert shop.kept == {"purchase": 3, "item": 2}
    assert shop.found["times a user takes an item again"] == 1
    assert shop.found["items without a title"] == 1


def test_attributes_stay_the_numbers_they_are() -> None:
    item, _ = to_shop(user_lines("4 7\n"), ITEMS).tables["catalogue"].to_dicts()

    assert item == {
        "item_id": "7",
        "title": "Nail Lacquer",
        "attributes": '{"s3rec":"173 1"}',
        "language": "en",
    }


def test_an_item_that_no_row_describes_is_left_out() -> None:
    shop = to_shop(user_lines("4 7 9 8\n"), ITEMS)

    assert shop.tables["events"].select("item_id", "sequence").rows() == [("7", 1), ("8", 3)]
    assert shop.left_out.rows() == [(1, "4", 2, "9", "item that the file of items lacks")]


def test_the_publishers_download_has_ids_alone(tmp_path: Path) -> None:
    (tmp_path / "Beauty.txt").write_text("4 7 9\n")

    rows_in, shop = read(PublishedFolder(CARD, tmp_path))

    assert rows_in == 2
    assert shop.tables["catalogue"].to_dict(as_series=False) == {"item_id": ["7", "9"]}
    assert shop.kept == {"purchase": 2}


def test_a_folder_without_sequences_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"needs one of Beauty.txt, sequences.txt .*; found no file"
    ):
        read(PublishedFolder(CARD, tmp_path))
