"""Hand-made rows of Taobao's log, and its file without a header."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from data.readers.as_read import as_read

from shelfwise.data.readers import taobao_user_behavior
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.taobao_user_behavior import CARD, COLUMNS, END, FIRST, to_shop

AT = datetime(2017, 11, 26, 1, tzinfo=UTC)


def row(**changes: object) -> dict[str, object]:
    return {
        **{"user_id": "543462", "item_id": "1715", "category": "1464116", "type": "pv"},
        **{"timestamp": AT},
        **changes,
    }


def test_the_first_line_is_a_row_and_seconds_are_times(tmp_path: Path) -> None:
    # 1511658000 s = 17,496 days (2017-11-26) and 3,600 s.
    (tmp_path / "UserBehavior.csv").write_text("543462,1715,1464116,pv,1511658000\n")

    rows, shop = taobao_user_behavior.read(PublishedFolder(CARD, tmp_path))

    assert rows == 1
    assert shop.tables["events"].rows() == [("view", "543462", "1715", AT)]
    assert shop.tables["catalogue"].rows() == [("1715", "category 1464116")]


def test_four_kinds() -> None:
    rows = (row(type=kind) for kind in ("pv", "cart", "fav", "buy"))

    shop = to_shop(as_read(COLUMNS, *rows))

    assert shop.kept == {"cart": 1, "favourite": 1, "purchase": 1, "view": 1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user_id": None}, "user, item, behaviour or time missing"),
        ({"timestamp": None}, "user, item, behaviour or time missing"),
        ({"type": "share"}, "behaviour not known"),
        (
            {"timestamp": FIRST - timedelta(seconds=1)},
            "time outside the nine days the publisher names",
        ),
        ({"timestamp": END}, "time outside the nine days the publisher names"),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(as_read(COLUMNS, row(), row(**changes)))

    assert shop.kept == {"view": 1}
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]


def test_the_first_and_the_last_second_are_kept() -> None:
    rows = (row(timestamp=FIRST), row(timestamp=END - timedelta(seconds=1)))

    assert to_shop(as_read(COLUMNS, *rows)).kept == {"view": 2}


def test_an_item_without_a_category_is_known_by_its_id() -> None:
    shop = to_shop(as_read(COLUMNS, row(category=None)))

    assert shop.tables["catalogue"].rows() == [("1715", None)]
