"""Point-in-time histories against a walk over each owner's own list of events.

An owner's events here are (hours, item, query, kind) in order of time.
"""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelfwise.data.config import HistoryOptions
from shelfwise.data.history import KINDS, NONE, History, ends_before, window, window_places
from shelfwise.schema.event import EventKind

# Other processes may hold the cores: a slow example says nothing.
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
HOUR = 3_600_000_000
VIEW, SEARCH = KINDS.index(EventKind.VIEW), KINDS.index(EventKind.SEARCH)
PURCHASE = KINDS.index(EventKind.PURCHASE)
SHORT = HistoryOptions(max_length=3)

Past = list[tuple[int, int, int, int]]
OWNERS = st.lists(
    st.lists(
        st.tuples(st.integers(-5, 5), st.integers(-1, 3), st.integers(-1, 3), st.integers(0, 7)),
        max_size=6,
    ).map(sorted),
    min_size=1,
    max_size=4,
)


def history_of(owners: list[Past]) -> History:
    flat = [event for past in owners for event in past]
    columns = np.array(flat, np.int64).reshape(-1, 4).T
    return History(
        np.concatenate([[0], np.cumsum([len(past) for past in owners])]).astype(np.int64),
        columns[1].astype(np.int32),
        columns[2].astype(np.int32),
        columns[3].astype(np.uint8),
        columns[0] * HOUR,
    )


@BUSY
@given(OWNERS, st.lists(st.tuples(st.integers(0, 3), st.integers(-6, 6)), max_size=8))
def test_a_history_is_what_the_owner_did_strictly_before(
    owners: list[Past], asked: list[tuple[int, int]]
) -> None:
    history = history_of(owners)
    owner_R = np.array([owner % len(owners) for owner, _ in asked], np.int64)
    at_R = np.array([hours * HOUR for _, hours in asked], np.int64)

    end_R = ends_before(history, owner_R, at_R)

    assert end_R.tolist() == [
        history.offset_U1[owner] + sum(event[0] < hours for event in owners[owner])
        for owner, (_, hours) in zip(owner_R, asked, strict=True)
    ]


@BUSY
@given(OWNERS, st.integers(1, 4), st.data())
def test_the_window_is_the_end_of_each_slice(
    owners: list[Past], max_length: int, data: st.DataObject
) -> None:
    history = history_of(owners)
    owner_R = np.arange(len(owners))
    taken = [data.draw(st.integers(0, len(past))) for past in owners]
    start_R = history.offset_U1[owner_R]
    at_R = np.full(len(owners), 9 * HOUR)

    found = window(history, start_R, start_R + taken, at_R, HistoryOptions(max_length=max_length))

    cut = [past[:n][-max_length:] for past, n in zip(owners, taken, strict=True)]
    assert found.valid_RL.shape[1] == max(1, *map(len, cut))
    for row, past in enumerate(cut):
        # Padding stands on the left: the newest event is always the last column.
        padding = found.valid_RL.shape[1] - len(past)
        assert found.valid_RL[row].tolist() == [False] * padding + [True] * len(past)
        blank = (0, NONE, NONE, 0)
        expected = [blank] * padding + [(9 - t, item, query, kind) for t, item, query, kind in past]
        assert expected == list(
            zip(
                found.age_RL[row].tolist(),
                found.item_RL[row].tolist(),
                found.query_RL[row].tolist(),
                found.kind_RL[row].tolist(),
                strict=True,
            )
        )


def test_by_hand() -> None:
    # Owner 0: views of items 1 and 2 at hours 1 and 3; owner 1: nothing; owner 2: a search at 2.
    history = history_of([[(1, 1, NONE, VIEW), (3, 2, NONE, VIEW)], [], [(2, NONE, 7, SEARCH)]])
    owner_R, at_R = np.array([0, 0, 0, 1, 2]), np.array([1, 3, 4, 9, 3]) * HOUR

    end_R = ends_before(history, owner_R, at_R)
    found = window(history, history.offset_U1[owner_R], end_R, at_R, HistoryOptions(max_length=50))

    assert end_R.tolist() == [0, 1, 2, 2, 3]  # equal times are not before
    assert found.item_RL.tolist() == [[-1, -1], [-1, 1], [1, 2], [-1, -1], [-1, -1]]
    assert found.query_RL[4].tolist() == [-1, 7]
    assert found.age_RL[2].tolist() == [3.0, 1.0]
    assert found.kind_RL[4].tolist() == [0, SEARCH]


def test_a_log_without_behaviour_and_a_batch_without_requests() -> None:
    nothing = history_of([[], []])
    none = np.zeros(0, np.int64)

    assert ends_before(nothing, np.array([0, 1]), np.array([5, 5])).tolist() == [0, 0]
    blank = window(nothing, np.zeros(2, int), np.zeros(2, int), np.array([5, 5]), SHORT)
    assert blank.item_RL.tolist() == [[NONE], [NONE]]
    assert not blank.valid_RL.any()
    assert window(nothing, none, none, none, SHORT).item_RL.shape == (0, 1)


def brute_force(kinds: list[int], max_length: int, reserve: int) -> list[int]:
    """Places of a slice's events by the rule's words, one after another."""
    if len(kinds) <= max_length:
        return list(range(len(kinds)))
    recent = len(kinds) - (max_length - reserve)
    older = [place for place in range(recent) if kinds[place] == PURCHASE]
    kept = older[len(older) - min(reserve, len(older)) :]
    others = [place for place in range(len(kinds)) if place not in kept]
    return sorted(kept + others[-(max_length - len(kept)) :])


@BUSY
@given(
    st.lists(st.lists(st.sampled_from([VIEW, PURCHASE]), max_size=30), min_size=1, max_size=4),
    st.integers(1, 12),
    st.data(),
)
def test_places_are_kept_for_older_purchases(
    owners: list[list[int]], max_length: int, data: st.DataObject
) -> None:
    reserve = data.draw(st.integers(0, max_length - 1))
    kind_E = np.array([kind for past in owners for kind in past], np.uint8)
    start_R = np.cumsum([0, *(len(past) for past in owners)])[:-1].astype(np.int64)
    length_R = np.array([data.draw(st.integers(0, len(past))) for past in owners], np.int64)

    found = window_places(kind_E, start_R, start_R + length_R, max_length, reserve)

    for row, (past, length) in enumerate(zip(owners, length_R.tolist(), strict=True)):
        expected = brute_force(past[:length], max_length, reserve)
        assert [place - start_R[row] for place in found[row] if place >= 0] == expected
        # Padding stands on the left, and no place is taken twice.
        assert (np.diff(found[row]) > 0).sum() + (found[row] < 0).sum() >= found.shape[1] - 1
    assert found.shape[1] == max(1, min(max_length, int(length_R.max())))


def test_a_purchase_beyond_many_blocks_is_found() -> None:
    # A purchase, a thousand views, another purchase, three views: of four places two are reserved.
    kind_E = np.array([VIEW, PURCHASE, *[VIEW] * 1000, PURCHASE, *[VIEW] * 3], np.uint8)
    start_R, end_R = np.array([0, 2, 1]), np.full(3, len(kind_E))

    found = window_places(kind_E, start_R, end_R, 4, 2)

    # The second request's own slice begins after the first purchase: a view takes its place.
    assert found.tolist() == [
        [1, 1002, 1004, 1005],
        [1002, 1003, 1004, 1005],
        [1, 1002, 1004, 1005],
    ]


def test_the_reserve_reaches_the_window() -> None:
    # Hours 0 to 3: a purchase of item 1, then views of 2, 3 and 4; two places, one reserved.
    past = [(0, 1, NONE, PURCHASE), *((hour, hour + 1, NONE, VIEW) for hour in (1, 2, 3))]
    history = history_of([past])
    zero, end = np.zeros(1, np.int64), np.array([4])

    found = window(
        history, zero, end, np.array([4 * HOUR]), HistoryOptions(max_length=2, purchase_reserve=1)
    )

    assert found.item_RL.tolist() == [[1, 4]]
    assert found.age_RL.tolist() == [[4.0, 1.0]]


def test_what_was_met_reaches_further_back_than_what_is_read() -> None:
    # Five events an hour apart; two are read, four are looked back on.
    history = history_of([[(hour, hour + 1, NONE, VIEW) for hour in range(5)]])
    options = HistoryOptions(max_length=2, repeat_length=4)

    found = window(history, np.zeros(1, int), np.array([5]), np.array([5 * HOUR]), options)

    assert found.item_RL.tolist() == [[4, 5]]
    assert found.met is not None
    assert found.met.item_RP.tolist() == [[2, 3, 4, 5]]
    assert found.met.age_RP.tolist() == [[4.0, 3.0, 2.0, 1.0]]
    # Where everything is read, nothing more was met.
    short = window(history, np.zeros(1, int), np.array([2]), np.array([5 * HOUR]), options)
    assert short.met is None
