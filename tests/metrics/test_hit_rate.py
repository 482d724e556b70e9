from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from tied_orders import CUTOFFS, ITEMS, expectation

from shelfwise.metrics.hit_rate import hit_rate_at_k
from shelfwise.metrics.ranks import TiedRanks, ranks_of_relevant


def test_hit_rate_by_hand() -> None:
    # k = 2. user 0: places 1 and 3: hit.  user 1: place 3: none.  user 2: nothing relevant.
    # user 3: two items share places 2 to 4, one of which counts: both miss it with
    #         C(2, 2) / C(3, 2) = 1/3, so 2/3.  user 4: relevant, but without a rank: none.
    first, last = np.array([2, 1, 3, 3, 2]), np.array([4, 1, 3, 3, 4])

    value = hit_rate_at_k(
        TiedRanks(first, last), np.array([3, 0, 0, 1, 3]), np.array([2, 1, 0, 2, 1]), k=2
    )

    assert value == pytest.approx([1, 0, np.nan, 2 / 3, 0], nan_ok=True)


@given(ITEMS, CUTOFFS)
def test_is_the_mean_over_all_orders_of_ties(items: list[tuple[int, bool]], k: int) -> None:
    score, relevant = (np.array([column]) for column in zip(*items, strict=True))
    user, item = np.nonzero(relevant)
    value = hit_rate_at_k(
        ranks_of_relevant(score.astype(float), user, item), user, relevant.sum(1), k
    )

    expected = expectation(items, lambda places: places[:k].any())
    assert value == pytest.approx([expected if relevant.any() else np.nan], nan_ok=True)
