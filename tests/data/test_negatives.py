"""Negatives against the distribution they are said to come from, and what they may never be.

Pools here have few items, so that every probability can be written down.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chisquare

from shelfwise.data.negatives import (
    NEVER,
    NO_ITEM,
    Asked,
    ByPopularity,
    NegativeDraw,
    Pool,
    Taken,
    Uniform,
    draw_negatives,
    in_batch_negatives,
)


def ints(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def asked(*rows: tuple[int, int]) -> Asked:
    return Asked(ints(*(owner for owner, _ in rows)), ints(*(at for _, at in rows)))


def taken_of(pool: Pool, *pairs: tuple[int, int]) -> Taken:
    return Taken.of(pool, ints(*(owner for owner, _ in pairs)), ints(*(item for _, item in pairs)))


FIRST = ints(0, 50, 10, 0, NEVER, 20)
COUNT = ints(16, 81, 1, 0, 0, 16)


def probabilities(
    draw: NegativeDraw, first: Any, count: Any, gone: set[int], at: int
) -> NDArray[np.float64]:
    """By the definition: the mass of what was met, was not taken and can be drawn, made 1."""
    mass = np.ones(len(first)) if isinstance(draw, Uniform) else np.zeros(len(first))
    if isinstance(draw, ByPopularity):
        mass = np.array([n**draw.power if n else 0.0 for n in count])
    free = [item not in gone and first[item] <= at < NEVER for item in range(len(first))]
    mass = np.where(free, mass, 0)
    return mass / mass.sum() if mass.sum() else mass


@pytest.mark.parametrize("draw", [Uniform(), ByPopularity(), ByPopularity(power=0)])
@pytest.mark.parametrize(
    ("gone", "at"),
    [(set(), 99), ({0}, 99), (set(), 20), ({0, 1, 3}, 99), ({1, 2, 3}, 99)],
)
def test_draws_follow_the_distribution(draw: NegativeDraw, gone: set[int], at: int) -> None:
    pool = Pool.of(draw, FIRST, COUNT)
    taken = taken_of(pool, *((7, item) for item in gone), (8, 5))
    draws = 40_000

    found = draw_negatives(asked((7, at)), pool, taken, draws, seed=3, epoch=0)

    expected = probabilities(draw, FIRST, COUNT, gone, at)
    counts = np.bincount(found.item_RK[0], minlength=6)
    possible = expected > 0
    assert counts[~possible].sum() == 0
    # A fixed seed: the test either always passes or never.
    assert chisquare(counts[possible], draws * expected[possible]).pvalue > 1e-3
    # Each draw says its own probability, exactly.
    assert np.exp(found.log_probability_RK[0]) == pytest.approx(expected[found.item_RK[0]])


def test_popularity_by_hand() -> None:
    # 16, 81 and 16 times taken, to the power 3/4: 8, 27 and 8; one more item once: 1. Owner 1 took
    # item 1, so 8 + 1 + 8 = 17 remain.
    pool = Pool.of(ByPopularity(), FIRST, COUNT)

    found = draw_negatives(asked((1, 99)), pool, taken_of(pool, (1, 1)), 300, seed=0, epoch=0)

    shares = {0: 8 / 17, 2: 1 / 17, 5: 8 / 17}
    assert set(found.item_RK[0].tolist()) == set(shares)
    for item, log in zip(found.item_RK[0].tolist(), found.log_probability_RK[0], strict=True):
        assert np.exp(log) == pytest.approx(shares[item])


def test_where_everything_was_taken_there_is_nothing_to_draw() -> None:
    pool = Pool.of(Uniform(), FIRST, COUNT)
    taken = taken_of(pool, *((1, item) for item in range(6)), (2, 0), (2, 3))

    # Owner 2 took the two items met by moment 5; by 10 there is one more.
    found = draw_negatives(
        asked((1, 99), (2, 5), (2, 10), (3, -1)), pool, taken, 3, seed=0, epoch=0
    )

    assert found.item_RK.tolist() == [[NO_ITEM] * 3, [NO_ITEM] * 3, [2] * 3, [NO_ITEM] * 3]
    assert np.isneginf(found.log_probability_RK[[0, 1, 3]]).all()
    assert found.log_probability_RK[2].tolist() == [0.0] * 3


# Other processes may hold the cores: a slow example says nothing.
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
REQUESTS = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 6)), max_size=8)
SHOPS = st.lists(
    st.tuples(st.one_of(st.integers(0, 6), st.just(NEVER)), st.integers(0, 9)), max_size=8
)


@BUSY
@given(
    REQUESTS,
    SHOPS,
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7)), max_size=20),
    st.one_of(st.just(Uniform()), st.builds(ByPopularity, power=st.floats(0, 1))),
    st.integers(0, 9),
)
def test_never_what_the_owner_takes_nor_what_came_later(
    requests: list[tuple[int, int]],
    shop: list[tuple[int, int]],
    pairs: list[tuple[int, int]],
    draw: NegativeDraw,
    epoch: int,
) -> None:
    first, count = ints(*(f for f, _ in shop)), ints(*(n for _, n in shop))
    pairs = [(owner, item) for owner, item in pairs if item < len(shop)]
    pool = Pool.of(draw, first, count)
    taken = taken_of(pool, *pairs)

    found = draw_negatives(asked(*requests), pool, taken, 5, seed=1, epoch=epoch)

    for row, (owner, at) in enumerate(requests):
        gone = {item for who, item in pairs if who == owner}
        expected = probabilities(draw, first, count, gone, at)
        drawn = found.item_RK[row]
        if expected.sum() == 0:
            assert drawn.tolist() == [NO_ITEM] * 5
            continue
        assert (expected[drawn] > 0).all()
        assert np.exp(found.log_probability_RK[row]) == pytest.approx(expected[drawn])


def test_redrawn_each_epoch_and_the_same_for_the_same_seed() -> None:
    pool = Pool.of(Uniform(), np.zeros(1000, np.int64), np.ones(1000, np.int64))
    taken = taken_of(pool, (0, 5))

    def drawn(seed: int, epoch: int) -> list[list[int]]:
        requests = asked((0, 1), (1, 1))
        found = draw_negatives(requests, pool, taken, 20, seed=seed, epoch=epoch)
        return found.item_RK.tolist()  # type: ignore[no-any-return]

    assert drawn(1, 0) == drawn(1, 0)
    assert drawn(1, 0) != drawn(1, 1)
    assert drawn(1, 0) != drawn(2, 0)
    first, second = drawn(1, 0)
    assert first != second


def test_in_batch_by_hand() -> None:
    # Positives of a batch: items 0, 2 and 1, first met at 0, 10 and 50. Owner 0 takes 0 and 1,
    # owner 1 takes 2. The request of owner 1 came at 20, before item 1 was met.
    pool = Pool.of(Uniform(), FIRST, COUNT)
    taken = taken_of(pool, (0, 0), (0, 1), (1, 2))

    found = in_batch_negatives(asked((0, 60), (1, 20)), ints(0, 2, 1), pool, taken, COUNT)

    assert found.allowed_RM.tolist() == [[False, True, False], [True, False, False]]
    # Taken 16, 1 and 81 times of 114.
    assert np.exp(found.log_probability_M) == pytest.approx([16 / 114, 1 / 114, 81 / 114])


def test_in_batch_probability_is_that_of_a_positive_of_any_request() -> None:
    # Batches of 4 of the epoch's 12 positives, in random order: the mean number of times that item
    # i stands in a batch is 4 times its probability.
    rng = np.random.default_rng(0)
    item_M = ints(*[0] * 6, *[1] * 4, *[2] * 2)
    count_V = np.bincount(item_M)
    pool = Pool.of(Uniform(), np.zeros(3, np.int64), count_V)
    nothing = taken_of(pool)
    batches = [rng.permutation(item_M)[:4] for _ in range(4000)]

    log_V = in_batch_negatives(asked((0, 1)), ints(0, 1, 2), pool, nothing, count_V)

    mean_V = np.mean([np.bincount(batch, minlength=3) for batch in batches], axis=0)
    assert 4 * np.exp(log_V.log_probability_M) == pytest.approx(mean_V, abs=0.06)
