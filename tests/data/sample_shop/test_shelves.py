from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue, draw_catalogue, shop_vocabulary
from shelfwise.data.sample_shop.shelves import Pool, ShelfMixture, show_shelves

NOON = 43_200_000


@pytest.fixture(scope="module")
def growing() -> Catalogue:
    """Two domains; every fifth item arrives at noon."""
    catalogue = draw_catalogue(shop_vocabulary("en", 2), 500, np.random.default_rng(7))
    return replace(catalogue, added_I=np.where(np.arange(500) % 5 == 0, NOON, 0))


def test_a_pool_by_hand(catalogue: Catalogue) -> None:
    # Five items: part 0 has 0 (weight 1), 3 (weight 4) from moment 10 on; part 1 has 1 (weight 2)
    # and 4 (weight 8) from moment 5 on; item 2 is sold out.
    made = replace(
        catalogue,
        available_I=np.array([True, True, False, True, True]),
        added_I=np.array([0, 0, 0, 10, 5]),
        popularity_I=np.array([1.0, 2.0, 100.0, 4.0, 8.0]),
    )
    pool = Pool.of(np.array([0, 1, 1, 0, 1]), made)

    run = pool.run(np.array([0, 0, 1, 1]), np.array([9, 10, 4, 99]))

    assert pool.item_X.tolist() == [0, 3, 1, 4]
    assert (run[0].tolist(), run[1].tolist()) == ([0, 0, 2, 2], [1, 2, 3, 4])
    assert pool.weight(run) == pytest.approx([1, 5, 2, 10])
    # Half of the weight of {0, 3} is 2.5, which lies in item 3; half of {1, 4} is 5, in item 4.
    assert pool.by_weight(run, np.full(4, 0.5)).tolist() == [0, 3, 1, 4]
    assert pool.by_weight(run, np.full(4, 0.1)).tolist() == [0, 0, 1, 1]
    assert pool.uniformly(run, np.full(4, 0.49)).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("at", [0, NOON])
def test_a_slot_is_a_distribution_over_what_is_sold_and_not_shown(
    growing: Catalogue, at: int
) -> None:
    mixture = ShelfMixture.of(growing, 0.1)
    domain_I = mixture.domain_T[growing.type_I]

    for kind in range(len(mixture.group_T)):
        sold = growing.available_I & (growing.added_I <= at)
        sold = np.flatnonzero(sold & (domain_I == mixture.domain_T[kind]))
        above, rest = sold[[0, 5, 20]], np.delete(sold, [0, 5, 20])
        choice = mixture.choice(np.full(len(rest), kind), np.full(len(rest), at))

        probability = mixture.probability(choice, np.tile(above, (len(rest), 1)), rest)

        assert probability.sum() == pytest.approx(1)
        # Every item keeps its share of the exploration.
        assert probability.min() >= 0.1 / len(rest)


def test_draws_follow_the_stated_probability(growing: Catalogue) -> None:
    mixture = ShelfMixture.of(growing, 0.2)
    draws, kind = 40_000, 3
    sold = np.flatnonzero(growing.available_I & (growing.added_I == 0))
    above = np.tile(sold[:2], (draws, 1))
    choice = mixture.choice(np.full(draws, kind), np.zeros(draws, dtype=np.int64))

    drawn = mixture.draw(choice, above, np.random.default_rng(4))

    share = np.bincount(drawn, minlength=500) / draws
    rest = sold[2:][mixture.domain_T[growing.type_I[sold[2:]]] == mixture.domain_T[kind]]
    few = choice.rows(np.arange(len(rest)))
    stated = np.zeros(500)
    stated[rest] = mixture.probability(few, above[: len(rest)], rest)
    assert stated.sum() == pytest.approx(1)
    # Five standard deviations, for the largest of 500 deviations.
    assert (np.abs(share - stated) <= 5 * np.sqrt(stated * (1 - stated) / draws)).all()


def test_shelves_show_distinct_items_of_one_domain_that_are_sold(growing: Catalogue) -> None:
    anchor = np.arange(110) % len(growing.vocabulary.types)
    at = np.where(np.arange(110) < 55, 0, NOON)

    slate = show_shelves(anchor, at, growing, 0.1, np.random.default_rng(1))

    pairs = set(zip(slate.row_N.tolist(), slate.item_N.tolist(), strict=True))
    assert len(pairs) == len(slate.row_N)
    assert growing.available_I[slate.item_N].all()
    assert (growing.added_I[slate.item_N] <= at[slate.row_N]).all()
    domain_T = np.array([row.domain for row in growing.vocabulary.types])
    assert (domain_T[growing.type_I[slate.item_N]] == domain_T[anchor[slate.row_N]]).all()
    assert set(np.bincount(slate.row_N).tolist()) == {8, 9, 10}
    assert (slate.propensity_N > 0).all()
