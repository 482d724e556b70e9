"""One way of writing for each category path."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.category_path import normalise_paths, path_parts


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Home > Kitchen > Mugs", "Home > Kitchen > Mugs"),
        ("Home>Kitchen>Mugs", "Home > Kitchen > Mugs"),
        ("Home » Kitchen", "Home > Kitchen"),
        ("Home|Kitchen", "Home > Kitchen"),
        ("Home / Kitchen", "Home > Kitchen"),
        ("/Home/Kitchen/", "Home > Kitchen"),
        ('["Home", "Kitchen"]', "Home > Kitchen"),
        ('[["Home", "Kitchen"]]', "Home > Kitchen"),
        ('["Home|Kitchen"]', "Home > Kitchen"),
        ("Home > TV/Video", "Home > TV/Video"),
        ("Home > A | B", "Home > A | B"),
        ("TV/Video", "TV/Video"),
        ("Home >  > Home > Mugs", "Home > Mugs"),
        ("[1, 2]", "[1, 2]"),
        ("[broken", "[broken"),
        ("  Two   words ", "Two words"),
    ],
)
def test_a_path_by_hand(text: str, path: str) -> None:
    assert normalise_paths(pl.Series("category", [text])).paths.to_list() == [path]


def test_what_was_changed_is_told() -> None:
    found = normalise_paths(
        pl.Series("category", ["a > b", "a>b", "a>b", "c|d", None, "TV/Video", ">", "TV/Video"])
    )

    assert found.paths.to_list() == [
        "a > b", "a > b", "a > b", "c > d", None, "TV/Video", None, "TV/Video",
    ]  # fmt: skip
    told = {(one.way, one.rows, one.example, one.became) for one in found.changes}
    # Two rows "a>b" and one ">", of which nothing is left; ">" comes first by spelling.
    assert told == {("a>b", 3, ">", ""), ("a|b", 1, "c|d", "c > d")}
    assert (found.unsure, found.unsure_rows) == (("TV/Video",), 2)


def test_nothing_to_do() -> None:
    found = normalise_paths(pl.Series("category", [None, None], dtype=pl.String))

    assert found.paths.to_list() == [None, None]
    assert found.changes == ()


def test_the_parts_of_a_path() -> None:
    assert path_parts("Home > TV/Video") == ("Home", "TV/Video")


@given(st.lists(st.text(alphabet='ab >|/[]",»', max_size=12), max_size=6))
def test_doing_it_twice_changes_nothing_more(texts: list[str]) -> None:
    once = normalise_paths(pl.Series("category", texts, dtype=pl.String)).paths
    again = normalise_paths(once)

    assert again.paths.to_list() == once.to_list()
    assert again.changes == ()
