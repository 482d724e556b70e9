"""Ranking metrics beside trec_eval, which knows no ties: scores are all different here."""

from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from tied_orders import CUTOFFS

from shelfwise.metrics.hit_rate import hit_rate_at_k
from shelfwise.metrics.ndcg import ndcg_at_k
from shelfwise.metrics.ranks import ranks_of_relevant
from shelfwise.metrics.recall import recall_at_k
from shelfwise.metrics.reciprocal_rank import reciprocal_rank_at_k

ITEMS = 8
RELEVANT = st.sets(st.integers(0, ITEMS - 1), min_size=1)


@given(st.permutations(range(ITEMS)), RELEVANT, CUTOFFS)
def test_agree_with_trec_eval(order: list[int], right: set[int], k: int) -> None:
    names = {f"ndcg_cut.{k}", f"recall.{k}", f"success.{k}", "recip_rank"}
    oracle = pytrec_eval.RelevanceEvaluator(
        {"q": {f"d{item}": int(item in right) for item in range(ITEMS)}}, names
    )
    expected = oracle.evaluate({"q": {f"d{i}": float(s) for i, s in enumerate(order)}})["q"]

    item = np.array(sorted(right))
    user, counted = np.zeros(len(item), int), np.array([len(item)])
    ranks = ranks_of_relevant(np.array([order], float), user, item)

    assert ndcg_at_k(ranks, user, counted, k) == pytest.approx([expected[f"ndcg_cut_{k}"]])
    assert recall_at_k(ranks, user, counted, k) == pytest.approx([expected[f"recall_{k}"]])
    assert hit_rate_at_k(ranks, user, counted, k) == pytest.approx([expected[f"success_{k}"]])
    uncut = reciprocal_rank_at_k(ranks, user, counted, ITEMS)
    assert uncut == pytest.approx([expected["recip_rank"]])
