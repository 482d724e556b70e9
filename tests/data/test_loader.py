"""What a step is given follows from the seed and its number, whoever gathers it and wherever
training began."""

from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from shelfwise.data import loader as loader_file
from shelfwise.data.batches import Batch, Examples, Shuffle, batch_rows, batches, examples_between
from shelfwise.data.loader import LoaderPlan, training_batches
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import microseconds

from .small_log import moment, prepared_shop, random_events

SIZE = 3


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    return prepared_shop(tmp_path_factory.mktemp("loader"), random_events(2, impressions=True))


@pytest.fixture(scope="module")
def examples(shop: PreparedShop) -> Examples:
    return examples_between(shop, microseconds(moment(0)), microseconds(moment(80)))


def told(made: list[Batch]) -> list[list[object]]:
    def plain(batch: Batch) -> list[object]:
        met = batch.history.met or ()
        return [part.tolist() for part in (*batch.history[:-1], *met, *batch[1:])]

    return [plain(batch) for batch in made]


def taken(shop: PreparedShop, examples: Examples, count: int, plan: LoaderPlan) -> list[object]:
    stream = training_batches(shop, examples, plan)
    found = told(list(islice(stream, count)))
    stream.close()
    return list(found)


def test_epochs_follow_each_other(shop: PreparedShop, examples: Examples) -> None:
    per_epoch = -(-len(examples) // SIZE)

    found = taken(shop, examples, 2 * per_epoch, LoaderPlan(SIZE, seed=4))

    first = told(list(batches(shop, examples, SIZE, Shuffle(4, 0))))
    second = told(list(batches(shop, examples, SIZE, Shuffle(4, 1))))
    assert found == first + second
    assert first != second
    assert sorted(map(str, first)) != sorted(map(str, second))  # other requests travel together


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_resumed_run_goes_on_as_the_undisturbed_one(
    shop: PreparedShop, examples: Examples, workers: int
) -> None:
    per_epoch = -(-len(examples) // SIZE)
    undisturbed = taken(shop, examples, 3 * per_epoch, LoaderPlan(SIZE, seed=4))

    # Inside an epoch, at its end, and in the one after.
    for start in (0, 1, per_epoch - 1, per_epoch, 2 * per_epoch + 2):
        plan = LoaderPlan(SIZE, 4, start, workers)
        count = min(4, 3 * per_epoch - start)
        assert taken(shop, examples, count, plan) == undisturbed[start : start + count]


def test_an_order_starts_anywhere(shop: PreparedShop, examples: Examples) -> None:
    whole = batch_rows(shop, examples, SIZE, Shuffle(7, 3))

    rest = batch_rows(shop, examples, SIZE, Shuffle(7, 3, 2))

    assert [rows.tolist() for rows in rest] == [rows.tolist() for rows in whole[2:]]
    assert sorted(np.concatenate(whole).tolist()) == list(range(len(examples)))


def workers_alive() -> int:
    return sum(thread.name.startswith("batches") for thread in threading.enumerate())


def test_closing_the_stream_ends_the_workers(shop: PreparedShop, examples: Examples) -> None:
    stream = training_batches(shop, examples, LoaderPlan(SIZE, 1, workers=3))
    next(stream)
    assert workers_alive() > 0

    stream.close()

    assert workers_alive() == 0


def test_an_error_of_a_worker_comes_out_at_its_own_step(
    shop: PreparedShop, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = batch_rows(shop, examples, SIZE, Shuffle(1))

    def gather(prepared: PreparedShop, some: Examples, rows: np.ndarray) -> Batch:
        if rows.tolist() == order[2].tolist():
            raise MemoryError("third batch")
        return real(prepared, some, rows)

    real = loader_file.gather
    monkeypatch.setattr(loader_file, "gather", gather)
    stream = training_batches(shop, examples, LoaderPlan(SIZE, 1, workers=2))

    assert len(told([next(stream), next(stream)])) == 2
    with pytest.raises(MemoryError, match="third batch"):
        next(stream)
    assert workers_alive() == 0


def test_workers_do_not_run_away(
    shop: PreparedShop, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = loader_file.gather

    def gather(prepared: PreparedShop, some: Examples, rows: np.ndarray) -> Batch:
        made.append(rows)
        return real(prepared, some, rows)

    monkeypatch.setattr(loader_file, "gather", gather)
    stream = training_batches(shop, examples, LoaderPlan(SIZE, 1, workers=2))
    next(stream)
    stream.close()

    assert len(made) <= 1 + 2 * 2  # the one taken, and two ahead for each worker


def test_nothing_to_learn_from_ends_at_once(shop: PreparedShop) -> None:
    none = examples_between(shop, 0, 1)

    assert taken(shop, none, 5, LoaderPlan(SIZE, 0)) == []


def test_a_log_without_impressions(tmp_path: Path) -> None:
    # A log without impressions: batches of matches alone.
    shop = prepared_shop(tmp_path, random_events(3, impressions=False))
    examples = examples_between(shop, microseconds(moment(0)), microseconds(moment(60)))

    found = list(islice(training_batches(shop, examples, LoaderPlan(4, 0)), 3))

    assert all(len(batch.weight_N) == 0 for batch in found)
    assert all(len(batch.weight_M) == len(batch.match_item_M) > 0 for batch in found)
