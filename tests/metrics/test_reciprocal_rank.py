from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from tied_orders import CUTOFFS, ITEMS, expectation

from shelfwise.metrics.ranks import TiedRanks, ranks_of_relevant
from shelfwise.metrics.reciprocal_rank import reciprocal_rank_at_k


def test_reciprocal_rank_by_hand() -> None:
    # k = 5. user 0: places 4 and 2: 1/2.  user 1: place 6: 0.  user 2: nothing relevant.
    # user 3: two items share places 2 to 4. The better one stands at 2 with 2/3 and at 3
    #         with 1/3: 2/3 * 1/2 + 1/3 * 1/3 = 4/9
    first, last = np.array([4, 6, 2, 2, 2]), np.array([4, 6, 2, 4, 4])

    value = reciprocal_rank_at_k(
        TiedRanks(first, last), np.array([0, 1, 0, 3, 3]), np.array([2, 1, 0, 2]), k=5
    )

    assert value == pytest.approx([1 / 2, 0, np.nan, 4 / 9], nan_ok=True)


def test_one_item_in_a_tie_of_all_gets_the_harmonic_mean() -> None:
    # (1 + 1/2 + 1/3 + 1/4) / 4 = 25/48; cut after two places (1 + 1/2) / 4
    ranks = TiedRanks(np.array([1]), np.array([4]))
    user, relevant = np.array([0]), np.array([1])

    assert reciprocal_rank_at_k(ranks, user, relevant, k=4) == pytest.approx([25 / 48])
    assert reciprocal_rank_at_k(ranks, user, relevant, k=2) == pytest.approx([3 / 8])


@given(ITEMS, CUTOFFS)
def test_is_the_mean_over_all_orders_of_ties(items: list[tuple[int, bool]], k: int) -> None:
    score, relevant = (np.array([column]) for column in zip(*items, strict=True))
    user, item = np.nonzero(relevant)
    value = reciprocal_rank_at_k(
        ranks_of_relevant(score.astype(float), user, item), user, relevant.sum(1), k
    )

    expected = expectation(
        items, lambda places: 1 / (1 + places.argmax()) if places[:k].any() else 0.0
    )
    assert value == pytest.approx([expected if relevant.any() else np.nan], nan_ok=True)
