from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.evaluation.baselines.markov import Steps, markov
from shelfwise.retrieval.taken import Taken, follows

from .small import ALL_ROWS, LEARNED, TAKEN, TARGETS, ints

POPULARITY = np.array([2, 2, 1, 0]) / 3


def test_chances_by_hand() -> None:
    # Owner 0: 0 -> 1 -> 0; owner 1: 1 -> 2.
    near = follows(TAKEN, reach=1).toarray()
    # Two steps after item 0 comes item 0, at half the weight: 1 and 1/2, so 2/3 and 1/3.
    far = follows(TAKEN, reach=2).toarray()

    assert near.tolist() == [[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert far[0] == pytest.approx([1 / 3, 2 / 3, 0, 0])
    assert far[1].tolist() == [0.5, 0, 0.5, 0]


def test_a_reach_beyond_the_log_finds_nothing_more() -> None:
    one = Taken(ints(0), ints(1), ints(0), 1, 2)

    assert follows(one, reach=10).nnz == 0


def test_the_last_click_by_hand() -> None:
    found = next(markov().fit(LEARNED, [Steps(1, 1.0, 1)])).scores(TARGETS, ALL_ROWS)

    # Owner 0 ended with item 0, owner 1 with a view of item 0; owner 2 has no past.
    after = np.array([[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    assert found == pytest.approx(after + 1e-6 * POPULARITY, abs=1e-7)


def test_the_click_before_counts_less() -> None:
    found = next(markov().fit(LEARNED, [Steps(2, 0.3, 1)])).scores(TARGETS, ALL_ROWS)

    # Owner 0: after item 0 surely 1, after item 1 before it 0 or 2. Owner 1: after 0, then after 2.
    after = np.array([[0.15, 1, 0.15, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    assert found == pytest.approx(after + 1e-6 * POPULARITY, abs=1e-6)


def test_a_search_is_passed_over() -> None:
    # Up to the search owner 1's last item is item 1, after which item 0 and item 2 came once each.
    earlier = replace(TARGETS.chosen(ints(1)), end_T=ints(5))

    found = next(markov().fit(LEARNED, [Steps(1, 1.0, 1)])).scores(earlier, ints(0))

    assert found[0] == pytest.approx([0.5, 0, 0.5, 0], abs=1e-5)
