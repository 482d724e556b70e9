from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.neighbours import RELATIONS
from shelfwise.retrieval.ease import ease_weights
from shelfwise.retrieval.neighbours import (
    NeighbourArrays,
    best_strength,
    fold_of,
    folds_of,
    neighbour_arrays,
)
from shelfwise.retrieval.taken import Taken, taken_in

TOGETHER, NEXT = (RELATIONS.index(name) for name in ("together", "next"))


def taken_of(baskets: list[list[int]], items: int) -> Taken:
    owner = [place for place, basket in enumerate(baskets) for _ in basket]
    item = [one for basket in baskets for one in basket]
    return Taken(
        np.array(owner, np.int64),
        np.array(item, np.int64),
        np.arange(len(item)),
        len(baskets),
        items,
    )


def dense(found: NeighbourArrays, relation: int, fold: int, items: int) -> NDArray[np.float32]:
    """``[V, V]`` what the table of a fold says, 0 where it says nothing."""
    told = np.zeros((items, items), np.float32)
    rows = slice(fold * items, (fold + 1) * items)
    item_VK = found.item_TXK[relation, rows]
    np.put_along_axis(told, item_VK.astype(np.int64), found.weight_TXK[relation, rows], 1)
    return told


def test_what_follows_is_counted_by_hand() -> None:
    found = neighbour_arrays(taken_of([[0, 1, 2], [0, 1]], items=4), most=4)

    told = dense(found, NEXT, 0, 4)
    # After 0: item 1 twice at once, item 2 once at distance 2; one more pair that nobody took.
    assert told[0].tolist() == pytest.approx([0, 2 / 3.5, 0.5 / 3.5, 0])
    assert told[1].tolist() == pytest.approx([0, 0, 1 / 2, 0])
    assert (told[2:] == 0).all()


def test_what_goes_together_is_what_ease_says_and_never_below_0() -> None:
    rng = np.random.default_rng(0)
    taken = taken_of([list(rng.permutation(8)[:4]) for _ in range(40)], items=8)
    matrix = np.zeros((40, 8), np.float32)
    matrix[taken.owner_E, taken.item_E] = 1

    told = dense(neighbour_arrays(taken, most=8), TOGETHER, 0, 8)
    fold_E = fold_of(taken.owner_E, 8)
    strength = best_strength(taken.chosen(fold_E != 1), taken.chosen(fold_E == 1))

    expected = ease_weights(sparse.csr_array(matrix), strength)
    assert told == pytest.approx(np.maximum(expected, 0), abs=1e-6)


def test_the_regularisation_is_the_one_that_finds_what_others_took_last() -> None:
    rng = np.random.default_rng(4)
    # Pairs that always go together, beside items that everybody takes at times.
    baskets = []
    for _ in range(90):
        pair = 2 * int(rng.integers(8))
        popular = [16 + int(one) for one in rng.permutation(4)[:2]]
        baskets.append([pair, *popular, pair + 1, pair])
    known, held = taken_of(baskets[:60], 20), taken_of(baskets[60:], 20)
    known_UV = np.zeros((60, 20), np.float32)
    known_UV[known.owner_E, known.item_E] = 1
    ndcg = {}
    for strength in (30.0, 100.0, 300.0, 1_000.0):
        weight = ease_weights(sparse.csr_array(known_UV), strength)
        gains = []
        for basket in baskets[60:]:
            # The first of the pair was taken again in the end: it is what is asked for.
            others = basket[1:-1]
            score = weight[others].sum(0)
            score[others] = -np.inf
            place = int((score > score[basket[-1]]).sum())
            gains.append(1 / np.log2(place + 2) if place < 10 else 0)
        ndcg[strength] = np.mean(gains)

    found = best_strength(known, held)

    assert ndcg[found] == pytest.approx(max(ndcg.values()))
    assert max(ndcg.values()) > min(ndcg.values()) + 0.01


def test_nobody_who_took_several_things_tells_no_regularisation() -> None:
    assert best_strength(taken_of([[0, 1]], 3), taken_of([[2], [2, 2]], 3)) == 300.0


def test_only_the_strongest_are_kept() -> None:
    baskets = [[0, 1]] * 5 + [[0, 2]] * 3 + [[0, 3]]

    told = dense(neighbour_arrays(taken_of(baskets, 4), most=2), NEXT, 0, 4)

    assert told[0].tolist() == pytest.approx([0, 5 / 10, 3 / 10, 0])


def test_a_fold_knows_nothing_of_its_own_owners() -> None:
    rng = np.random.default_rng(1)
    baskets = [list(rng.permutation(6)[:3]) for _ in range(12)]
    mine = int(fold_of(np.array([5]), 6)[0])
    others = [
        [0, 5, 0, 5] if fold_of(np.array([owner]), 6)[0] == mine else basket
        for owner, basket in enumerate(baskets)
    ]

    before, after = (neighbour_arrays(taken_of(some, 6), most=6) for some in (baskets, others))

    for relation in (TOGETHER, NEXT):
        for fold in range(folds_of(6) + 1):
            same = np.array_equal(dense(before, relation, fold, 6), dense(after, relation, fold, 6))
            assert same == (fold == mine)


def test_nobody_and_nothing_taken_makes_empty_tables() -> None:
    found = neighbour_arrays(taken_of([], items=3), most=128)

    assert found.item_TXK.shape == (2, 5 * 3, 3)
    assert (found.weight_TXK == 0).all()


def test_what_a_shop_took_is_in_order(prepared_sample: PreparedShop) -> None:
    taken = taken_in(prepared_sample, TRAINED)

    requests = prepared_sample.requests
    end = prepared_sample.moments.known_until(TRAINED)
    rows = [
        (requests["owner"][request], at, item)
        for request, at, item in prepared_sample.positives.select(
            "request", "at", "item"
        ).iter_rows()
        if requests["part"][request] == "train" and at < end
    ]
    assert len(taken.item_E) == len(rows) > 100
    told = [(owner, item) for owner, _, item in sorted(rows, key=lambda row: row[:2])]
    assert sorted(zip(taken.owner_E.tolist(), taken.item_E.tolist(), strict=True)) == sorted(told)
    assert taken.owner_E.tolist() == [owner for owner, _ in told]
