"""Nobody passes over what is not there yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from data.small_log import prepared_shop, random_events
from shelfwise.data.batches import examples_of
from shelfwise.data.epoch_negatives import NegativeSource
from shelfwise.data.leaks.negatives import Passed, leaks_in_negatives, without_answer
from shelfwise.data.negatives import NegativeOptions, Uniform
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part

from .planted import HOUR, IMPRESSIONS

# Item 1 and owner 0 are met at hour 1, item 2 and owner 1 at hour 5; a search names no item.
EVENTS = pl.DataFrame(
    {
        "owner": [0, 0, 1, 0],
        "item": [1, None, 2, 1],
        "at": [HOUR, 2 * HOUR, 5 * HOUR, 9 * HOUR],
    }
)


def drawn(*rows: tuple[int, int], name: str = "item") -> pl.DataFrame:
    return pl.DataFrame(rows, schema=[name, "at"], orient="row").with_columns(pl.col("at") * HOUR)


def test_what_was_there_can_be_passed_over() -> None:
    assert leaks_in_negatives(Passed(drawn((1, 1), (1, 7), (2, 5)), EVENTS)) == []
    assert leaks_in_negatives(Passed(drawn((0, 1), (1, 5), name="owner"), EVENTS.lazy())) == []


def test_items_of_the_future() -> None:
    (leak,) = leaks_in_negatives(Passed(drawn((1, 1), (2, 4), (3, 9)), EVENTS))

    assert leak.line() == (
        "  items of the future stand as negatives: rows 2, first: "
        "row 1, item 2, at 1970-01-01 04:00, first_at 1970-01-01 05:00; "
        "row 2, item 3, at 1970-01-01 09:00, first_at None"
    )


def test_users_of_the_future() -> None:
    (leak,) = leaks_in_negatives(Passed(drawn((1, 4), (0, 4), name="owner"), EVENTS))

    assert leak.line().startswith("  users of the future stand as negatives: rows 1, first: row 0")


def test_impressions_without_an_answer_are_negatives() -> None:
    assert without_answer(IMPRESSIONS).rows() == [(1, 3 * HOUR)]


def test_held_out_items_are_never_drawn_for_training(tmp_path: Path) -> None:
    # By their sha256 foo and hello train, bar is the test.
    names = {"i0": "foo", "i1": "hello", "i2": "bar", "i3": "foo", "i4": "hello"}
    rows = random_events(1, impressions=False)
    for row in rows:
        row["item_id"] = names.get(row["item_id"], "")
    match = {"target": "next", "events": ["click", "purchase"]}
    shop = prepared_shop(tmp_path, rows, split={"kind": "cold_items"}, match=match)
    draw = NegativeOptions(draw=Uniform())

    def drawn_for(parts: tuple[Part, ...]) -> set[str]:
        source = NegativeSource.of(shop, parts, draw)
        item_RK = source.draw(examples_of(shop, parts), seed=0, epoch=0).item_RK
        return {shop.items["item_id"][item] for item in np.unique(item_RK[item_RK >= 0]).tolist()}

    assert drawn_for(("train",)) <= {"foo", "hello"}
    assert "bar" in drawn_for(("train", "validation", "test"))


def test_the_negatives_that_are_drawn_pass(prepared_sample: PreparedShop) -> None:
    source = NegativeSource.of(prepared_sample, ["train"], NegativeOptions(draw=Uniform()))
    examples = examples_of(prepared_sample, ["train"])

    item_RK = source.draw(examples, seed=0, epoch=0).item_RK

    rows = pl.DataFrame(
        {"item": item_RK.ravel(), "at": np.repeat(examples.at_R, item_RK.shape[1])}
    ).filter(pl.col("item") >= 0)
    named = (
        pl.DataFrame({"item": prepared_sample.history.item_E, "at": prepared_sample.history.at_E}),
        prepared_sample.impressions.select("item", "at"),
        prepared_sample.positives.select("item", "at"),
    )
    met = pl.concat([table.cast(pl.Int64) for table in named]).filter(pl.col("item") >= 0)
    assert leaks_in_negatives(Passed(rows, met)) == []
    # Drawn for the log's first moment, most would be of the future.
    assert leaks_in_negatives(Passed(rows.with_columns(at=pl.lit(0)), met))
