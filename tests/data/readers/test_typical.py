"""One value per item, from the earliest period that has any."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from shelfwise.data.readers.typical import typical

VALIDATION, TEST = datetime(2011, 10, 1, tzinfo=UTC), datetime(2011, 11, 1, tzinfo=UTC)


def chosen(*rows: tuple[str, str | None, int]) -> dict[str, str]:
    """Rows of item, title and month of 2011 -> title by item."""
    table = pl.DataFrame(
        {
            "item_id": [item for item, _, _ in rows],
            "title": [title for _, title, _ in rows],
            "timestamp": [datetime(2011, month, 1, tzinfo=UTC) for _, _, month in rows],
        }
    )
    return dict(typical(table, "title", (VALIDATION, TEST)).iter_rows())


def test_the_most_frequent_wins() -> None:
    assert chosen(("i", "A", 1), ("i", "B", 2), ("i", "B", 3)) == {"i": "B"}


def test_training_outvotes_any_number_of_later_rows() -> None:
    assert chosen(("i", "A", 9), ("i", "B", 10), ("i", "B", 10), ("i", "C", 12)) == {"i": "A"}
    assert chosen(("i", "B", 10), ("i", "C", 11), ("i", "C", 11)) == {"i": "B"}


def test_a_tie_goes_to_the_value_that_sorts_first() -> None:
    assert chosen(("i", "B", 1), ("i", "A", 2)) == {"i": "A"}


def test_nulls_are_no_value() -> None:
    assert chosen(("i", None, 1), ("i", None, 1), ("i", "A", 12), ("j", None, 1)) == {"i": "A"}
