from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shelfwise.evaluation.ablation.measures import measures_of
from shelfwise.evaluation.paired import Draws, difference_of, seed_values
from shelfwise.evaluation.stored_answers import ShopAnswers

HEAD = np.array([True, False, False, False])
IDS = pl.Series(["a", "b", "c", "d"])


def answers(places: list[int], click: list[float]) -> ShopAnswers:
    """Two users with two right items each, at these places; four impressions."""
    return ShopAnswers(
        items=4,
        views=("new",),
        targets=pl.DataFrame({"owner": ["u", "v"], "at": [0, 0]}),
        ranks=pl.DataFrame(
            {
                "view": ["new"] * 4,
                "target": [0, 0, 1, 1],
                "item": [0, 1, 0, 2],
                "first": places,
                "last": places,
            }
        ),
        impressions=pl.DataFrame(
            {
                "request_id": ["1", "1", "2", "2"],
                "item_id": ["a", "b", "a", "b"],
                "owner": ["u", "u", "v", "v"],
                "p_click": click,
                "p_convert": [float("nan")] * 4,
                "clicked": [True, False, False, True],
                "purchased": [False] * 4,
                "known": [True] * 4,
            }
        ),
    )


def test_head_and_tail_by_hand() -> None:
    # Within the first 2: user u finds its head item (place 1), not its tail item (3); user v finds
    # both with the first seed, the tail item alone with the second.
    seeds = [
        answers([1, 3, 2, 1], [0.9, 0.1, 0.2, 0.8]),
        answers([1, 3, 4, 1], [0.9, 0.1, 0.9, 0.3]),
    ]

    found = {
        (m.place.view, m.place.metric): m
        for m in measures_of(seeds, HEAD, IDS, k=2)
        if m.place.task == "match"
    }

    assert seed_values(found["head items", "recall@2"]) == [1.0, 0.5]
    assert seed_values(found["tail items", "recall@2"]) == [0.5, 0.5]


def test_clicks_on_head_and_tail_items_by_hand() -> None:
    # Head: a clicked by u (.9), not by v (.2): AUC 1. Tail: b not clicked by u (.4), clicked by
    # v (.3): AUC 0.
    found = measures_of([answers([1, 2, 1, 2], [0.9, 0.4, 0.2, 0.3])], HEAD, IDS, k=2)

    clicks = {m.place.view: m for m in found if (m.place.task, m.place.metric) == ("click", "auc")}
    assert seed_values(clicks["head items"]) == [1.0]
    assert seed_values(clicks["tail items"]) == [0.0]


def test_the_paired_difference_is_that_of_means_over_seeds() -> None:
    # Recall of head items: 1 and (1 + 0)/2 = .5 here; 0 for both users there, with both seeds.
    here = measures_of(
        [answers([1, 3, 2, 1], [0.5] * 4), answers([1, 3, 4, 1], [0.5] * 4)], HEAD, IDS, 2
    )
    there = measures_of([answers([3, 1, 4, 2], [0.5] * 4)] * 2, HEAD, IDS, 2)

    ours, theirs = (
        next(m for m in found if m.place.view == "head items" and m.place.task == "match")
        for found in (here, there)
    )
    gap, _ = difference_of(ours, theirs, Draws(200, 1, 0))

    assert gap.value == pytest.approx((1 + 0.5) / 2)
    assert 0.5 <= gap.low <= gap.high <= 1
