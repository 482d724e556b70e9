from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.examples import example_rankings, title_of
from shelfwise.evaluation.match import View, views
from shelfwise.evaluation.report import Example

from .baselines.small import HISTORY, ITEMS, TARGETS, ints

NONE = ints()


@pytest.fixture(scope="module")
def shop(prepared_sample: PreparedShop) -> PreparedShop:
    """Four items, one of them without a title, and the history of three owners."""
    items = pl.DataFrame(
        {"item_id": ["a", "b", "c", "d"], "title": ["Red shoe", "Lamp", None, "Tea"]}
    )
    queries = pl.DataFrame({"text": ["warm light"]})
    return replace(prepared_sample, items=items, queries=queries, history=HISTORY)


def scores(_targets: MatchTargets, rows: np.ndarray) -> np.ndarray:
    return np.array([[1, 2, 3, 4]] * len(rows), np.float32) * (rows[:, None] + 1)


def examples(shop: PreparedShop, view: View, count: int) -> list[Example]:
    return example_rankings(shop, TARGETS, view, scores, count)


def view_of(shop: PreparedShop, place: int) -> View:
    return views(shop, TARGETS, np.ones(ITEMS, bool))[place]


def test_an_example_by_hand(shop: PreparedShop) -> None:
    _, owner_1, _ = examples(shop, view_of(shop, 0), 3)

    # Owner 1 bought the lamp, searched, bought item c (no title) and viewed the shoe.
    assert owner_1.history == ["Red shoe", "c", "“warm light”", "Lamp"]
    assert owner_1.query == ""
    assert [shown.item_id for shown in owner_1.top] == ["d", "c", "b", "a"]
    assert [shown.title for shown in owner_1.top] == ["Tea", "c", "Lamp", "Red shoe"]
    assert [shown.score for shown in owner_1.top] == [8, 6, 4, 2]
    assert [shown.right for shown in owner_1.top] == [True, False, False, False]
    assert owner_1.right_total == 1


def test_items_left_out_of_a_view_are_not_shown(shop: PreparedShop) -> None:
    new = view_of(shop, 1)
    assert new.name == "new"

    owner_0, owner_1, owner_2 = examples(shop, new, 9)

    assert [shown.item_id for shown in owner_0.top] == ["d", "c"]
    assert [shown.item_id for shown in owner_1.top] == ["d", "a"]
    assert len(owner_2.top) == ITEMS
    assert owner_2.history == []


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, 1), (2, 2), (3, 3), (50, 3)])
def test_as_many_as_asked_for_and_as_there_are(shop: PreparedShop, count: int, shown: int) -> None:
    assert len(examples(shop, view_of(shop, 0), count)) == shown


def test_a_view_without_answers_has_no_examples(shop: PreparedShop) -> None:
    assert examples(shop, View("new", NONE, NONE, NONE, NONE), 5) == []


def test_titles_stand_in_for_ids_and_ids_for_titles(shop: PreparedShop) -> None:
    assert [title_of(shop, item) for item in range(ITEMS)] == ["Red shoe", "Lamp", "c", "Tea"]
