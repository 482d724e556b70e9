"""Hand-written lines of users and items."""

from __future__ import annotations

from shelfwise.data.readers.user_lines import user_lines


def test_a_line_is_a_user_and_items_in_order() -> None:
    assert user_lines("4 7 8 7\n\n5 8 \n").rows() == [
        (1, "4", 1, "7"),
        (1, "4", 2, "8"),
        (1, "4", 3, "7"),
        (3, "5", 1, "8"),
    ]


def test_a_user_without_items_is_no_row() -> None:
    assert user_lines("4\n5 8\n").rows() == [(2, "5", 1, "8")]
