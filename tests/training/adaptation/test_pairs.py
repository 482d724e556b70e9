from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from data.small_log import event, prepared_shop, write_table

from shelfwise.data.prepared import PreparedShop
from shelfwise.training.adaptation.pairs import (
    Rights,
    Takes,
    TextPairs,
    has_text,
    judged_pairs,
    learnable_texts,
    takes_of,
    together_pairs,
    training_pairs,
)

from .small_shop import ITEMS, catalogue, names


def takes(owner: list[int], item: list[int], hours: list[float]) -> Takes:
    count = len(owner)
    return Takes(
        np.array(owner, np.int64),
        np.array(item, np.int64),
        (np.array(hours) * 3_600_000_000).astype(np.int64),
        np.full(count, -1),
        np.zeros(count, dtype=bool),
    )


def together(of: Takes, hours: float = 24, seed: int = 0) -> list[tuple[int, int]]:
    left_P, right_P, _ = together_pairs(of, hours, seed)
    return sorted(zip(left_P.tolist(), right_P.tolist(), strict=True))


def test_training_pairs_by_hand(small_shop: PreparedShop) -> None:
    pairs = training_pairs(small_shop, ("query", "together", "title"), 24, seed=0)

    # i6 has no text; "light" was answered after training.
    assert names(small_shop, pairs["query"]) == [("tea", "i2")]
    # u0: i2 came 35 hours after i1. u1: i1 twice is no pair, and its two ways to i3 are one.
    # u2's i5 and u3's i4 belong to validation, u4's pair to the test.
    assert names(small_shop, pairs["together"]) == [("i0", "i1"), ("i1", "i3")]
    # i5 is first met in validation.
    own = [(f"i{n}", f"i{n}") for n in range(5)]
    assert names(small_shop, pairs["title"]) == own


def test_a_longer_window_joins_more(small_shop: PreparedShop) -> None:
    day = training_pairs(small_shop, ("together",), 34.9, seed=0)["together"]
    longer = training_pairs(small_shop, ("together",), 35, seed=0)["together"]

    assert names(small_shop, day) == [("i0", "i1"), ("i1", "i3")]
    assert names(small_shop, longer) == [("i0", "i1"), ("i1", "i2"), ("i1", "i3")]


def test_kinds_that_are_not_asked_for_are_not_made(small_shop: PreparedShop) -> None:
    assert list(training_pairs(small_shop, ("title",), 24, seed=0)) == ["title"]


def test_judged_pairs_by_hand(small_shop: PreparedShop) -> None:
    judged = judged_pairs(small_shop, 24, seed=0)

    # The answer lies in validation; what it follows may be older. Nothing of the test.
    assert names(small_shop, judged["query"]) == [("lamp", "i4")]
    assert names(small_shop, judged["together"]) == [("i4", "i5")]


def test_what_may_be_read(small_shop: PreparedShop) -> None:
    learnable_T = learnable_texts(small_shop, ("train",))

    texts = [*small_shop.items["item_id"], *small_shop.queries["text"]]
    known = {text for text, known in zip(texts, learnable_T, strict=True) if known}
    # i5 and "lamp" came later, i6 is an id.
    assert known == {"i0", "i1", "i2", "i3", "i4", "light", "tea"}
    assert has_text(small_shop).tolist() == [True] * (ITEMS - 1) + [False]


def test_a_pair_stands_once_an_owner_whichever_came_first() -> None:
    of = takes([0, 0, 0, 1, 1], [7, 8, 7, 8, 7], [0, 1, 2, 0, 1])

    assert together(of) == [(7, 8), (8, 7)]


def test_a_basket_is_paired_with_five_that_follow() -> None:
    # Ten items at one moment: 5 pairs each for the first five, then 4, 3, 2, 1 of those left.
    basket = takes([0] * 10, list(range(10)), [0] * 10)

    one, other = together(basket), together(basket, seed=1)

    assert len(one) == len(other) == 5 * 5 + 4 + 3 + 2 + 1
    assert one != other  # at one moment there is no order
    assert together(basket) == one


def test_owners_do_not_mix() -> None:
    assert together(takes([0, 1], [7, 8], [0, 0])) == []
    assert together(takes([], [], [])) == []
    assert together(takes([0], [7], [0])) == []


def test_a_log_of_order_alone_goes_by_order(tmp_path: Path) -> None:
    # Items 0 to 5 in turn, by one shopper: the last one is the test and the one before validation.
    write_table(tmp_path / "shop", "catalogue", catalogue())
    rows = [
        {"event": "click", "user_id": "u0", "item_id": f"i{n}", "sequence": n} for n in range(6)
    ]
    options = {"split": {"kind": "leave_last_out"}, "match": {"target": "next"}}
    shop = prepared_shop(tmp_path, rows, **options)

    trained = training_pairs(shop, ("together",), 1e-9, seed=0)["together"]
    judged = judged_pairs(shop, 1e-9, seed=0)["together"]

    first = [(f"i{n}", f"i{m}") for n in range(4) for m in range(n + 1, 4)]
    assert names(shop, trained) == first
    assert names(shop, judged) == [(f"i{n}", "i4") for n in range(4)]


def test_suspected_fraud_says_nothing(small_shop: PreparedShop) -> None:
    suspected = small_shop.positives.with_columns(
        weight=pl.when(pl.col("item") == 1).then(0.0).otherwise("weight")
    )

    taken = takes_of(replace(small_shop, positives=suspected), ("train",))

    # Of u0 i0 and i2, of u1 i3, of u2 i4, of u3 i2 once: taken twice at one request.
    assert sorted(taken.item_N.tolist()) == [0, 2, 2, 3, 4]


def test_what_may_be_right_by_hand() -> None:
    # Texts 0..5, of which 5 reads like 0. Owner 3 took 0 and 1 together, and 2.
    pairs = TextPairs(np.array([0]), np.array([1]), np.array([3]))
    of = takes([3, 3, 3], [0, 1, 2], [0, 1, 90])
    rights = Rights({"together": pairs}, of, np.array([0, 1, 2, 3, 4, 0]))

    def right(left: int, owner: int) -> list[int]:
        found = rights.may_be_right(np.array(left), np.array(owner), np.arange(6))
        return np.flatnonzero(found).tolist()

    assert right(0, -1) == [0, 1, 5]  # itself, its pair, and what reads the same
    assert right(1, -1) == [0, 1, 5]  # a pair has no direction
    assert right(4, -1) == [4]
    assert right(4, 3) == [0, 1, 2, 4, 5]  # whatever this owner took
    assert right(4, 2) == [4]


def test_without_pairs_only_the_same_text_is_right() -> None:
    rights = Rights({}, takes([], [], []), np.arange(3))

    right = rights.may_be_right(np.array(1), np.array(0), np.arange(3))

    assert right.tolist() == [False, True, False]


def test_ids_alone_are_no_text(tmp_path: Path) -> None:
    shop = prepared_shop(tmp_path, [event("view", "u0", n, f"i{n % 2}") for n in range(90)])

    assert len(takes_of(shop, ("train",)).item_N) == 0
