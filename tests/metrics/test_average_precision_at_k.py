from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from tied_orders import CUTOFFS, ITEMS, expectation

from shelfwise.metrics.average_precision_at_k import average_precision_at_k
from shelfwise.metrics.ranks import TiedRanks, ranks_of_relevant


def test_by_hand() -> None:
    # k = 4. user 0: places 1 and 3 of 2 relevant: (1/1 + 2/3) / 2 = 5/6.
    # user 1: place 2, and two more without a rank: (1/2) / 3.  user 2: nothing relevant.
    # user 3: place 1, and a tie of places 3 to 5 that holds one: places 3 and 4 count,
    #         1 + 1/3 * (2/3 + 2/4) = 1 + 7/18, over 2.
    first, last = np.array([3, 1, 2, 1, 3]), np.array([5, 1, 2, 1, 3])

    value = average_precision_at_k(
        TiedRanks(first, last), np.array([3, 0, 1, 3, 0]), np.array([2, 3, 0, 2]), k=4
    )

    expected = [5 / 6, 1 / 6, np.nan, (1 + 7 / 18) / 2]
    assert value == pytest.approx(expected, nan_ok=True)


@given(ITEMS, CUTOFFS)
def test_is_the_mean_over_all_orders_of_ties(items: list[tuple[int, bool]], k: int) -> None:
    score, relevant = (np.array([column]) for column in zip(*items, strict=True))
    user, item = np.nonzero(relevant)
    value = average_precision_at_k(
        ranks_of_relevant(score.astype(float), user, item), user, relevant.sum(1), k
    )

    def of_places(places: np.ndarray) -> float:
        hit = places[:k].astype(float)
        return float(hit @ (hit.cumsum() / np.arange(1, len(hit) + 1))) / min(k, places.sum())

    expected = expectation(items, of_places) if relevant.any() else np.nan
    assert value == pytest.approx([expected], nan_ok=True)


@given(st.permutations(range(8)), st.sets(st.integers(0, 7), min_size=1), CUTOFFS)
def test_agrees_with_trec_eval_but_for_the_divisor(
    order: list[int], right: set[int], k: int
) -> None:
    oracle = pytrec_eval.RelevanceEvaluator(
        {"q": {f"d{item}": int(item in right) for item in range(8)}}, {f"map_cut.{k}"}
    )
    run = {"q": {f"d{item}": float(score) for item, score in enumerate(order)}}
    expected = oracle.evaluate(run)["q"][f"map_cut_{k}"] * len(right) / min(len(right), k)

    item = np.array(sorted(right))
    user = np.zeros(len(item), int)
    ranks = ranks_of_relevant(np.array([order], float), user, item)
    value = average_precision_at_k(ranks, user, np.array([len(right)]), k)
    assert value == pytest.approx([expected])
