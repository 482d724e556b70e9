"""Counts before a step, by hand and against a walk over the events."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.features.tally import Happened, Tally, distinct


def test_by_hand() -> None:
    # Key 0: one event at step 1, two at step 3; key 2: one at step 0. A second kind: key 0, step 2.
    kinds = (
        Happened(np.array([0, 2, 0, 0]), np.array([3, 0, 1, 3])),
        Happened(np.array([0]), np.array([2])),
    )

    tally = Tally.of(kinds, keys=3, steps=4)

    found = tally.before(np.array([0, 0, 0, 0, 1, 2, 2, -1]), np.array([1, 2, 3, 4, 4, 0, 1, 4]))
    assert found.tolist() == [[0, 0], [1, 0], [1, 1], [3, 1], [0, 0], [0, 0], [1, 0], [0, 0]]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_against_a_walk(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keys, steps = rng.integers(1, 5, 2)
    kinds = [
        Happened(rng.integers(0, keys, n), rng.integers(0, steps, n))
        for n in rng.integers(0, 20, 3)
    ]
    key_N, step_N = rng.integers(-1, keys, 30), rng.integers(-3, steps + 3, 30)

    found = Tally.of(kinds, int(keys), int(steps)).before(key_N, step_N)

    walk = [
        [sum(k == key and s < step for k, s in zip(*kind, strict=True)) for kind in kinds]
        for key, step in zip(key_N, step_N, strict=True)
    ]
    assert found.tolist() == walk


@given(st.lists(st.integers(-5, 5)))
def test_distinct_is_numpy_unique(values: list[int]) -> None:
    value_E = np.array(values, np.int64)

    for ours, theirs in zip(distinct(value_E), np.unique(value_E, return_counts=True), strict=True):
        assert ours.tolist() == theirs.tolist()
