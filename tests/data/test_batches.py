"""Batches hold every request once, each with what was known of it when the stretch ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shelfwise.data.batches import Batch, Shuffle, batches, examples_between, gather
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import microseconds
from shelfwise.schema.event import Surface

from .small_log import HOUR, event, moment, prepared_shop, random_events

WINDOW = 0.25  # days


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    return prepared_shop(
        tmp_path_factory.mktemp("batches"),
        random_events(2, impressions=True),
        attribution={"purchase_window_days": WINDOW},
        history={"max_length": 6},
    )


def at(hours: float) -> int:
    return microseconds(moment(hours))


def told(batch: Batch) -> list[tuple[Any, ...]]:
    """Each request of a batch without its padding."""
    history = batch.history
    found = []
    for row in range(len(batch.query_R)):
        valid_L = history.valid_RL[row]
        shown_N = batch.shown_request_N == row
        columns = (
            batch.shown_item_N, batch.position_N, batch.clicked_N, batch.purchased_N, batch.known_N
        )  # fmt: skip
        found.append(
            (
                int(batch.query_R[row]),
                int(batch.surface_R[row]),
                tuple(zip(*(part[row][valid_L].tolist() for part in history[:4]), strict=True)),
                tuple(zip(*(column[shown_N].tolist() for column in columns), strict=True)),
                tuple(batch.match_item_M[batch.match_request_M == row].tolist()),
            )
        )
    return found


def expected(prepared: PreparedShop, start: int, end: int) -> Iterable[tuple[Any, ...]]:
    """The same, from the prepared tables row by row."""
    surfaces = [str(surface) for surface in Surface]
    history = prepared.history
    for number, request in enumerate(prepared.requests.rows(named=True)):
        if not start <= request["at"] < end:
            continue
        first = history.offset_U1[request["owner"]]
        past = range(max(first, request["history_end"] - 6), request["history_end"])
        events = [
            (
                history.item_E[place],
                history.query_E[place],
                history.kind_E[place],
                (request["at"] - history.at_E[place]) / HOUR,
            )
            for place in past
        ]
        shown = []
        for row in prepared.impressions.filter(request=number).rows(named=True):
            clicked = row["clicked_at"] is not None and row["clicked_at"] < end
            bought = row["purchased_at"] is not None and row["purchased_at"] < end
            # The click window, 24 h, is longer than the purchase window here.
            settled = row["at"] + 24 * HOUR < end
            if clicked and not bought:
                settled &= row["clicked_at"] + WINDOW * 24 * HOUR < end
            shown.append((row["item"], row["position"] or 0, clicked, bought, settled))
        right = {
            row["item"]
            for row in prepared.positives.filter(request=number).rows(named=True)
            if row["at"] < end
        }
        yield (
            request["query"],
            surfaces.index(request["surface"]),
            tuple(events),
            tuple(shown),
            tuple(sorted(right)),
        )


@pytest.mark.parametrize(("start", "end"), [(0, 60), (60, 80), (0, 80), (80, 1000), (61, 62)])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_all_requests_once_in_order_with_their_own_slices(
    shop: PreparedShop, start: int, end: int, size: int
) -> None:
    examples = examples_between(shop, at(start), at(end))

    made = list(batches(shop, examples, size, None))

    assert [row for batch in made for row in told(batch)] == list(
        expected(shop, at(start), at(end))
    )
    assert len(made) == -(-len(examples) // size)


def test_a_random_order_holds_the_same_requests(shop: PreparedShop) -> None:
    examples = examples_between(shop, at(0), at(80))

    def shuffled(seed: int) -> list[tuple[Any, ...]]:
        made = batches(shop, examples, 3, Shuffle(seed))
        return [row for batch in made for row in told(batch)]

    assert Counter(shuffled(1)) == Counter(expected(shop, at(0), at(80)))
    assert shuffled(1) == shuffled(1)
    assert shuffled(1) != shuffled(2)


def test_requests_of_like_length_travel_together(shop: PreparedShop) -> None:
    examples = examples_between(shop, at(0), at(80))

    def padding(made: Iterable[Batch]) -> int:
        return sum(int((~batch.history.valid_RL).sum()) for batch in made)

    together = batches(shop, examples, 4, Shuffle(1))

    assert padding(together) < padding(batches(shop, examples, 4, None))


def test_any_rows_can_be_gathered(shop: PreparedShop) -> None:
    examples = examples_between(shop, at(0), at(80))
    everything = told(gather(shop, examples, np.arange(len(examples))))

    for rows in ([], [5], [9, 2, 2]):
        batch = gather(shop, examples, np.array(rows, np.int64))
        assert told(batch) == [everything[row] for row in rows]


def test_the_same_examples_every_time(shop: PreparedShop) -> None:
    once, again = (examples_between(shop, at(0), at(80)) for _ in range(2))

    assert once.match_item_M.tolist() == again.match_item_M.tolist()


def test_training_never_sees_past_its_end(tmp_path: Path) -> None:
    named = {"request_id": "r"}
    rows = [
        event("view", "u1", 1, "i9"),
        event("impression", "u1", 50, "i1", position=1, **named),
        event("impression", "u1", 50, "i2", position=2, **named),
        event("click", "u1", 59, "i1", **named),
        event("click", "u1", 61, "i2", **named),
        event("purchase", "u1", 62, "i1", **named),
        event("view", "u1", 99, "i9"),
    ]
    prepared = prepared_shop(tmp_path, rows)
    items = prepared.items["item_id"].to_list()

    def seen_at(hours: int) -> tuple[list[Any], ...]:
        found = examples_between(prepared, at(0), at(hours))
        return (
            found.clicked_N.tolist(),
            found.purchased_N.tolist(),
            found.known_N.tolist(),
            [items[item] for item in found.match_item_M],
        )

    assert seen_at(60) == ([True, False], [False, False], [False, False], ["i1"])
    assert seen_at(63) == ([True, True], [True, False], [False, False], ["i1", "i2"])
    # The purchase window is 7 days, counted from hours 59 and 61.
    assert seen_at(61 + 7 * 24 + 1)[2] == [True, True]
    assert len(examples_between(prepared, at(51), at(60))) == 0
