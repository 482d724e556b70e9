"""Hand-written clicks: searches told apart, both ways of quoting, clicks that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from shelfwise.data.readers.best_buy import clicks_of, to_shop

HEADER = "user,sku,category,query,click_time,query_time"
FIRST = 'a,11,c1,"tv 50, ""flat""",2011-09-01 10:00:05.5,2011-09-01 10:00:00'
SECOND = "a,12,c2,nook,2011-09-01 09:00:09,2011-09-01 09:00:00"
AGAIN = 'a,13,c2,"tv 50, ""flat""",2011-09-01 10:00:07,2011-09-01 10:00:00'


def clicks(*lines: str) -> pl.DataFrame:
    return clicks_of(Path("train.csv"), "\n".join([HEADER, *lines, ""]))


def at(hour: int, second: int, micro: int = 0) -> datetime:
    return datetime(2011, 9, 1, hour, 0, second, micro, tzinfo=UTC)


def test_a_search_comes_before_its_clicks_and_shares_their_request() -> None:
    shop = to_shop(clicks(FIRST, SECOND, AGAIN))
    tv = 'tv 50, "flat"'

    assert shop.tables["events"].drop("surface").rows() == [
        ("search", "a", None, at(9, 0), "search-1", "nook"),
        ("click", "a", "12", at(9, 9), "search-1", "nook"),
        ("search", "a", None, at(10, 0), "search-2", tv),
        ("click", "a", "11", at(10, 5, 500_000), "search-2", tv),
        ("click", "a", "13", at(10, 7), "search-2", tv),
    ]
    assert set(shop.tables["events"]["surface"]) == {"search"}
    assert shop.kept == {"click": 3}
    assert shop.found["searches, events of their own"] == 2


def test_the_order_of_rows_does_not_matter() -> None:
    one, other = to_shop(clicks(FIRST, SECOND, AGAIN)), to_shop(clicks(AGAIN, SECOND, FIRST))

    assert one.tables["events"].equals(other.tables["events"])
    assert one.tables["catalogue"].equals(other.tables["catalogue"])


def test_lines_quoted_as_a_whole_read_the_same() -> None:
    quoted = ['"' + line.replace('"', '""') + '"' for line in (HEADER, FIRST, SECOND)]

    assert clicks_of(Path("t.csv"), "\n".join(quoted)).equals(clicks(FIRST, SECOND))


def test_a_click_before_its_query_is_left_out() -> None:
    shop = to_shop(clicks(FIRST, SECOND.replace("09:00:09", "08:59:59")))

    assert shop.left_out.select("line", "reason").rows() == [(2, "click before its query")]
    assert shop.kept == {"click": 1}
    assert shop.found["searches, events of their own"] == 1  # a search left without a click


def test_an_item_has_the_category_of_its_first_click() -> None:
    later = "b,11,c9,tv,2011-09-02 10:00:05,2011-09-02 10:00:00"

    shop = to_shop(clicks(later, FIRST))

    assert shop.tables["catalogue"].rows() == [("11", "c1")]
