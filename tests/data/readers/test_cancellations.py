"""Cancellations find the purchase they take back."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from shelfwise.data.readers.cancellations import tie_to_purchases

Row = tuple[str, str, int, int, str, int]  # user, item, day of June, line, invoice, quantity


def rows(*given: Row) -> pl.DataFrame:
    table = pl.DataFrame(
        given,
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "day": pl.Int64,
            "line": pl.Int64,
            "invoice": pl.String,
            "quantity": pl.Int64,
        },
        orient="row",
    )
    days = [datetime(2011, 6, day, tzinfo=UTC) for day in table["day"]]
    return table.with_columns(pl.Series("timestamp", days, dtype=pl.Datetime("us", "UTC")))


def ties(purchases: pl.DataFrame, cancellations: pl.DataFrame) -> list[tuple[str, str | None, str]]:
    tied = tie_to_purchases(purchases, cancellations)
    return tied.select("invoice", "returns_invoice", "tie").rows()


def test_the_latest_purchase_with_enough_left_is_taken_back() -> None:
    purchases = rows(("u", "i", 1, 1, "A", 10), ("u", "i", 2, 2, "B", 10), ("u", "i", 3, 3, "C", 2))
    cancellations = rows(
        ("u", "i", 4, 4, "X", 5), ("u", "i", 5, 5, "Y", 6), ("u", "i", 6, 6, "Z", 2)
    )

    # X: C has only 2, so B (5 left). Y: B has 5, so A (4 left). Z: C has its 2.
    assert ties(purchases, cancellations) == [
        ("X", "B", "whole"),
        ("Y", "A", "whole"),
        ("Z", "C", "whole"),
    ]


def test_a_purchase_too_small_is_taken_back_in_part_and_only_once() -> None:
    purchases = rows(("u", "i", 1, 1, "A", 3))
    cancellations = rows(("u", "i", 2, 2, "X", 5), ("u", "i", 3, 3, "Y", 1))

    assert ties(purchases, cancellations) == [("X", "A", "part"), ("Y", None, "none")]


def test_neither_a_later_purchase_nor_another_customer_or_item_counts() -> None:
    purchases = rows(
        ("u", "i", 9, 9, "later", 5), ("v", "i", 1, 1, "other", 5), ("u", "j", 1, 2, "item", 5)
    )

    assert ties(purchases, rows(("u", "i", 5, 5, "X", 1))) == [("X", None, "none")]


def test_in_the_same_minute_the_order_of_lines_decides() -> None:
    purchases = rows(("u", "i", 1, 1, "before", 1), ("u", "i", 1, 3, "after", 1))

    assert ties(purchases, rows(("u", "i", 1, 2, "X", 1))) == [("X", "before", "whole")]


def test_cancellations_are_worked_off_in_order_of_time() -> None:
    purchases = rows(("u", "i", 1, 1, "A", 1))
    cancellations = rows(("u", "i", 5, 2, "late", 1), ("u", "i", 3, 3, "early", 1))

    assert ties(purchases, cancellations) == [("early", "A", "whole"), ("late", None, "none")]
