from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.history import KINDS, History
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.attacks.histories import HISTORY_NOISES, HistoryNoise, disturbed
from shelfwise.schema.event import EventKind

VIEW, BUY = KINDS.index(EventKind.VIEW), KINDS.index(EventKind.PURCHASE)
ITEMS = 1_000


def history() -> History:
    """Owner 0 has six events, owner 1 two."""
    return History(
        offset_U1=np.array([0, 6, 8]),
        item_E=np.array([10, 11, 12, 13, 14, 15, 20, 21], np.int32),
        query_E=np.array([-1, -1, 3, -1, -1, -1, -1, -1], np.int32),
        kind_E=np.array([BUY, VIEW, BUY, VIEW, VIEW, BUY, BUY, BUY], np.uint8),
        at_E=np.arange(8) * 100,
    )


def targets() -> MatchTargets:
    """Owner 0 asks after four events and after six, owner 1 after two."""
    none = np.empty(0, np.int64)
    return MatchTargets(
        owner_T=np.array([0, 0, 1]),
        at_T=np.array([350, 600, 800]),
        end_T=np.array([4, 6, 8]),
        query_T=np.full(3, -1),
        right_target_P=np.array([0, 1, 2]),
        right_item_P=np.array([1, 2, 3]),
        seen_target_S=none,
        seen_item_S=none,
    )


def pasts(noise: HistoryNoise, share: float, seed: int = 0) -> list[History]:
    """What each target reads."""
    found, moved = disturbed(history(), targets(), noise, share, ITEMS, seed)
    return [
        History(
            np.array([0]),
            *(
                side[found.offset_U1[owner] : end]
                for side in (found.item_E, found.query_E, found.kind_E, found.at_E)
            ),
        )
        for owner, end in zip(moved.owner_T, moved.end_T, strict=True)
    ]


@pytest.mark.parametrize("noise", HISTORY_NOISES)
def test_without_strength_every_past_is_what_it_was(noise: HistoryNoise) -> None:
    found = pasts(noise, 0.0)

    assert [past.item_E.tolist() for past in found] == [
        [10, 11, 12, 13],
        [10, 11, 12, 13, 14, 15],
        [20, 21],
    ]
    assert found[0].query_E.tolist() == [-1, -1, 3, -1]
    assert found[2].at_E.tolist() == [600, 700]


def test_everything_can_be_dropped() -> None:
    assert [len(past.at_E) for past in pasts("dropped events", 1.0)] == [0, 0, 0]


def test_a_click_comes_before_each_event_at_its_time() -> None:
    first, _, last = pasts("accidental clicks", 1.0)

    assert first.item_E[1::2].tolist() == [10, 11, 12, 13]
    assert first.at_E.tolist() == [0, 0, 100, 100, 200, 200, 300, 300]
    # A look is what shows least in this log; it is about no query.
    assert set(first.kind_E[::2].tolist()) == {VIEW}
    assert first.query_E.tolist() == [-1, -1, -1, -1, -1, 3, -1, -1]
    assert all(0 <= item < ITEMS for item in last.item_E)


def test_shuffled_items_change_places_and_times_stay() -> None:
    orders = []
    for seed in range(5):
        whole = pasts("shuffled order", 1.0, seed)[1]
        assert sorted(whole.item_E.tolist()) == [10, 11, 12, 13, 14, 15]
        assert whole.at_E.tolist() == [0, 100, 200, 300, 400, 500]
        assert whole.query_E[whole.item_E == 12].tolist() == [3]  # an event moves whole
        orders.append(tuple(whole.item_E.tolist()))
    assert len(set(orders)) > 1


def test_a_target_is_disturbed_alike_whatever_stands_beside_it() -> None:
    alone = replace(targets().chosen(np.array([1])), right_target_P=np.array([0]))
    found, moved = disturbed(history(), alone, "accidental clicks", 0.5, ITEMS, 3)

    together = pasts("accidental clicks", 0.5, 3)[1]
    assert found.item_E[: moved.end_T[0]].tolist() == together.item_E.tolist()
