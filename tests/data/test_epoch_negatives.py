"""Negatives of a prepared shop, against a walk over its own tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shelfwise.data.batches import examples_of
from shelfwise.data.epoch_negatives import NegativeSource
from shelfwise.data.item_facts import first_met
from shelfwise.data.negatives import NEVER, NegativeOptions, Uniform
from shelfwise.data.prepared import PreparedShop

from .small_log import HOUR, event, prepared_shop, random_events


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    rows = random_events(5, impressions=False)
    rows += [event("purchase", "u9", 30, "late"), event("view", "u9", 70, "later")]
    return prepared_shop(tmp_path_factory.mktemp("negatives"), rows)


def test_first_met_by_hand(tmp_path: Path) -> None:
    rows = [event("view", "u1", 3, "a"), event("impression", "u1", 2, "b", request_id="r")]
    rows += [event("click", "u1", 4, "b", request_id="r"), event("view", "u2", 90, "a")]
    prepared = prepared_shop(tmp_path, rows)

    found = first_met(prepared)

    hours = {
        name: (at - found.min()) / HOUR
        for name, at in zip(prepared.items["item_id"], found.tolist(), strict=True)
    }
    assert hours == {"a": 1.0, "b": 0.0}
    assert (found < NEVER).all()


def test_no_draw_is_taken_in_the_window_or_of_the_future(shop: PreparedShop) -> None:
    source = NegativeSource.of(shop, ["train"], NegativeOptions(draw=Uniform(), per_request=200))
    examples = examples_of(shop, ["train"])

    drawn = source.draw(examples, seed=0, epoch=0).item_RK

    requests = shop.requests.rows(named=True)
    takes: dict[int, set[int]] = {}
    for row in shop.positives.rows(named=True):
        asked = requests[row["request"]]
        if asked["part"] == "train" and row["at"] < shop.moments.validation:
            takes.setdefault(asked["owner"], set()).add(row["item"])
    first_V = first_met(shop)
    for row, (owner, at) in enumerate(zip(examples.owner_R, examples.at_R, strict=True)):
        right = {
            item
            for item in range(len(shop.items))
            if first_V[item] <= at and item not in takes[owner]
        }
        assert set(drawn[row].tolist()) == (right or {-1})
    assert drawn.shape == (len(examples), 200)
    assert not np.array_equal(drawn, source.draw(examples, seed=0, epoch=1).item_RK)
