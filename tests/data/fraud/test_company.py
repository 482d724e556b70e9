from __future__ import annotations

import numpy as np
import pytest

from shelfwise.data.fraud.company import MOST_ITEMS, Together

# Owners 0 to 2 take items 0 and 1; owner 3 takes 2 and 3; owner 4 takes 0, 1 and 3.
OWNER_N = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4])
ITEM_N = np.array([0, 1, 0, 1, 0, 1, 2, 3, 0, 1, 3])


def test_pairs_count_one_over_the_owners_other_items() -> None:
    together = Together.of(OWNER_N, ITEM_N, 4)

    # Keys are first * 4 + second: (0, 1) thrice whole and once a half, (0, 3) and (1, 3) a half.
    assert together.key_P.tolist() == [1, 3, 7, 11]
    assert together.weight_P.tolist() == [3.5, 0.5, 0.5, 1.0]
    assert together.takers_V.tolist() == [4, 4, 1, 2]
    assert (together.takings, together.floor) == (11, 5 / 11)


def test_an_owners_own_takings_do_not_speak_for_it() -> None:
    together = Together.of(OWNER_N, ITEM_N, 4)

    owners, company = together.company(OWNER_N, ITEM_N, own=True)

    found = dict(zip(owners.tolist(), company.tolist(), strict=True))
    floor = 5 / 11
    # Owner 0: others take (0, 1) 2.5 times; 3 * 3 / 11 are expected.
    assert found[0] == pytest.approx(np.log((2.5 + floor) / (9 / 11 + floor)))
    # Owner 3: nobody else takes 2, so none is expected either.
    assert found[3] == pytest.approx(np.log(floor / floor))
    # Owner 4: 0 and 1 go together, and neither goes with 3: the median of three means.
    pair = np.log((3 + floor) / (9 / 11 + floor))
    with_3 = np.log(floor / (3 / 11 + floor))
    assert found[4] == pytest.approx(np.median([(pair + with_3) / 2] * 2 + [with_3]))


def test_a_stranger_is_held_against_everybody() -> None:
    together = Together.of(OWNER_N, ITEM_N, 4)

    owners, company = together.company(np.array([9, 9]), np.array([1, 0]), own=False)

    floor = 5 / 11
    assert owners.tolist() == [9]
    assert company.tolist() == [pytest.approx(np.log((3.5 + floor) / (16 / 11 + floor)))]


def test_of_many_items_the_same_ones_are_drawn_whoever_else_is_there() -> None:
    many = np.arange(3 * MOST_ITEMS)
    alone = Together.of(np.full(len(many), 7), many, len(many))
    beside = Together.of(
        np.concatenate([[1, 1], np.full(len(many), 7)]),
        np.concatenate([[0, 1], many]),
        len(many),
    )

    assert len(alone.key_P) == MOST_ITEMS * (MOST_ITEMS - 1) // 2
    assert set(alone.key_P.tolist()) <= {*beside.key_P.tolist(), 1}
    assert alone.weight_P == pytest.approx(1 / (MOST_ITEMS - 1))


def test_nobody_took_anything() -> None:
    none = np.zeros(0, np.int64)
    together = Together.of(none, none, 1)

    assert together.company(none, none, own=True)[0].size == 0
    assert together.company(np.array([0, 0]), np.array([0, 0]), own=False)[1].tolist() == [0.0]
