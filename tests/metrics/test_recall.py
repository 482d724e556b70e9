from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from tied_orders import CUTOFFS, ITEMS, expectation

from shelfwise.metrics.ranks import TiedRanks, ranks_of_relevant
from shelfwise.metrics.recall import recall_at_k


def test_recall_by_hand() -> None:
    # k = 2. user 0: places 1 and 3 of two relevant: 1/2.  user 1: nothing relevant.
    # user 2: shares places 2 to 5, one of which counts: 1/4 of one item, of two relevant: 1/8
    ranks = TiedRanks(np.array([1, 3, 2]), np.array([1, 3, 5]))

    value = recall_at_k(ranks, np.array([0, 0, 2]), np.array([2, 0, 2]), k=2)

    assert value == pytest.approx([1 / 2, np.nan, 1 / 8], nan_ok=True)


def test_more_relevant_items_than_places_cannot_all_be_found() -> None:
    first = np.array([1, 2, 3, 4])

    assert recall_at_k(TiedRanks(first, first), np.zeros(4, int), np.array([4]), k=1) == 1 / 4


@given(ITEMS, CUTOFFS)
def test_is_the_mean_over_all_orders_of_ties(items: list[tuple[int, bool]], k: int) -> None:
    score, relevant = (np.array([column]) for column in zip(*items, strict=True))
    user, item = np.nonzero(relevant)
    value = recall_at_k(
        ranks_of_relevant(score.astype(float), user, item), user, relevant.sum(1), k
    )

    expected = expectation(items, lambda places: places[:k].sum() / max(places.sum(), 1))
    assert value == pytest.approx([expected if relevant.any() else np.nan], nan_ok=True)
