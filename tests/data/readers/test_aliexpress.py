"""Hand-made rows of pages of search results."""

from __future__ import annotations

import pytest
from data.readers.as_read import as_read, said

from shelfwise.data.readers.aliexpress import COLUMNS, to_shop


def row(**changes: object) -> dict[str, object]:
    return {
        **{"request_id": "81", "clicked": 0, "bought": 0},
        **{"categorical_1": "9", "numerical_63": 0.5},
        **changes,
    }


def test_a_page_is_the_request_and_every_row_an_item() -> None:
    rows = (row(), row(clicked=1, bought=1), row(request_id="85"))

    shop = to_shop(as_read(COLUMNS, *rows))

    page = {"session_id": "81", "request_id": "81", "surface": "search"}
    other = {"session_id": "85", "request_id": "85", "surface": "search"}
    features = {"categorical_1": "9"}  # of the user and the query
    assert said(shop.tables["events"]) == [
        {"event": "impression", **page, "item_id": "row-1", "sequence": 1, **features},
        {"event": "impression", **page, "item_id": "row-2", "sequence": 2, **features},
        {"event": "click", **page, "item_id": "row-2", "sequence": 2},
        {"event": "purchase", **page, "item_id": "row-2", "sequence": 2},
        {"event": "impression", **other, "item_id": "row-3", "sequence": 3, **features},
    ]
    assert said(shop.tables["catalogue"]) == [
        {"item_id": f"row-{number}", "numerical_63": 0.5} for number in (1, 2, 3)
    ]
    assert shop.kept == {"impression": 3}
    assert shop.found == {"clicks": 1, "conversions": 1, "searches": 2}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request_id": None}, "search missing"),
        ({"clicked": None}, "click or conversion not said"),
        ({"bought": 1}, "converted without a click"),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(**changes)))

    assert shop.kept == {"impression": 1}
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]
