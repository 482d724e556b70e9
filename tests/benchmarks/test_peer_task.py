"""A task's folder tells peers all that may be learned and nothing of the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

if TYPE_CHECKING:
    from shelfwise.data.prepared import PreparedShop
    from shelfwise.data.targets import MatchTargets


@pytest.fixture(scope="module")
def targets(prepared_sample: PreparedShop) -> MatchTargets:
    from shelfwise.data.targets import match_targets

    return match_targets(prepared_sample, "test")


@pytest.fixture(scope="module")
def task(
    prepared_sample: PreparedShop, targets: MatchTargets, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    from benchmarks.peer_task import write_task

    return write_task(prepared_sample, targets, "retail", tmp_path_factory.mktemp("peer") / "task")


def test_the_task_says_what_it_is(
    task: Path, prepared_sample: PreparedShop, targets: MatchTargets
) -> None:
    told = json.loads((task / "task.json").read_text())
    validation = pl.read_parquet(task / "validation_histories.parquet")

    assert told == {
        "name": "retail",
        "items": len(prepared_sample.items),
        "targets": len(targets),
        "validation_targets": len(validation),
        "clock": "time",
        "k": 10,
        "view": "all",
    }


def test_nothing_of_the_test_can_be_learned(task: Path, prepared_sample: PreparedShop) -> None:
    rows = pl.read_parquet(task / "interactions.parquet")
    moments = prepared_sample.moments

    assert rows.columns == ["owner", "item", "at", "part"]
    for part, begin, end in (
        ("train", moments.first, moments.validation),
        ("validation", moments.validation, moments.test),
    ):
        at_N = rows.filter(pl.col("part") == part)["at"]
        assert len(at_N) > 0
        assert begin <= at_N.min()
        assert at_N.max() < end
    assert rows.select("owner", "at").equals(rows.select("owner", "at").sort("owner", "at"))
    names = {path.name for path in task.iterdir()}
    assert names == {
        "task.json",
        "interactions.parquet",
        "items.parquet",
        "histories.parquet",
        "validation_histories.parquet",
        "validation_answers.parquet",
    }


def test_histories_are_what_was_taken_before_the_request(
    task: Path, prepared_sample: PreparedShop, targets: MatchTargets
) -> None:
    from shelfwise.evaluation.baselines.choose import match_kind_numbers

    found = pl.read_parquet(task / "histories.parquet")
    history, kinds = prepared_sample.history, match_kind_numbers(prepared_sample)

    assert found["target"].to_list() == list(range(len(targets)))
    assert found["owner"].to_list() == targets.owner_T.tolist()
    assert found["at"].to_list() == targets.at_T.tolist()
    # Each history once more, event by event.
    for target in range(len(targets)):
        begin = history.offset_U1[targets.owner_T[target]]
        places = range(begin, targets.end_T[target])
        expected = [
            int(history.item_E[place])
            for place in places
            if history.kind_E[place] in kinds and history.item_E[place] >= 0
        ]
        assert found["items"][target].to_list() == expected
        assert all(history.at_E[place] < targets.at_T[target] for place in places)
    assert sum(len(items) for items in found["items"]) > 0


def test_rows_of_items_are_their_numbers(task: Path, prepared_sample: PreparedShop) -> None:
    items = pl.read_parquet(task / "items.parquet")

    np.testing.assert_array_equal(items["item"], np.arange(len(prepared_sample.items)))
    assert items["item_id"].equals(prepared_sample.items["item_id"])
    assert items.columns == ["item", "item_id", "title", "category", "brand", "price", "text"]


def test_peers_read_it_as_it_was_written(
    task: Path, targets: MatchTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Peers' scripts import their neighbours by name.
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks/peers")
    from exchange import read_task

    read = read_task(task)

    assert len(read.histories) == len(targets)
    assert len(read.train) < len(read.whole)
    assert read.validation_answers.target_P.max() < read.validation_targets
