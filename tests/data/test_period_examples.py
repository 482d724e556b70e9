from __future__ import annotations

import numpy as np

from shelfwise.data.attribution import DAY
from shelfwise.data.batches import Examples, examples_of, gather
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.period_examples import joined, period_examples
from shelfwise.data.prepared import PreparedShop

WEEK = 7 * DAY


def pairs(examples: Examples) -> set[tuple[int, int, int]]:
    """(owner, moment asked, item) of every match."""
    row_M = np.repeat(np.arange(len(examples)), np.diff(examples.match_offset_R1))
    owner_M, at_M = examples.owner_R[row_M].tolist(), examples.at_R[row_M].tolist()
    return set(zip(owner_M, at_M, examples.match_item_M.tolist(), strict=True))


def test_all_that_is_taken_in_a_period_is_asked_for_at_its_start(
    prepared_sample: PreparedShop,
) -> None:
    until = prepared_sample.moments.known_until(TRAINED)
    requests = prepared_sample.requests
    taken = [
        (requests["owner"][request], at, item)
        for request, at, item in prepared_sample.positives.select(
            "request", "at", "item"
        ).iter_rows()
        if requests["part"][request] == "train" and at < until
    ]
    expected = set()
    for owner, at, item in taken:
        start = until - ((until - 1 - at) // WEEK + 1) * WEEK
        before = any(o == owner and earlier < start for o, earlier, _ in taken)
        if start >= prepared_sample.moments.first and before:
            expected.add((owner, start, item))

    found = period_examples(prepared_sample, TRAINED, WEEK)

    assert len(expected) > 100
    assert set().union(*map(pairs, found)) == expected
    assert all(len(np.unique(one.owner_R)) == len(one) for one in found)


def test_nothing_later_than_the_start_of_the_period_is_known(
    prepared_sample: PreparedShop,
) -> None:
    for one in period_examples(prepared_sample, TRAINED, WEEK):
        history = prepared_sample.history
        first_R = history.offset_U1[one.owner_R]
        for start, end, at, owner in zip(first_R, one.end_R, one.at_R, one.owner_R, strict=True):
            stop = history.offset_U1[owner + 1]
            assert (history.at_E[start:end] < at).all()
            assert (history.at_E[end:stop] >= at).all()


def test_joined_examples_are_gathered_as_each_alone(prepared_sample: PreparedShop) -> None:
    usual = examples_of(prepared_sample, TRAINED)
    periods = period_examples(prepared_sample, TRAINED, WEEK)

    whole = joined([usual, *periods])

    assert len(whole) == len(usual) + sum(map(len, periods))
    place = len(usual) + len(periods[0])  # the first of the second period
    alone = gather(prepared_sample, periods[1], np.array([0]))
    beside = gather(prepared_sample, whole, np.array([place, 3]))
    matches = beside.match_item_M[beside.match_request_M == 0]
    assert matches.tolist() == alone.match_item_M.tolist()
    own = gather(prepared_sample, usual, np.array([3]))
    assert beside.shown_item_N.tolist() == own.shown_item_N.tolist()
    assert (beside.shown_request_N == 1).all()
