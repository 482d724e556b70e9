from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from scipy import sparse

from shelfwise.evaluation.baselines.item_knn import (
    Bm25,
    Cosine,
    Neighbours,
    bm25_weights,
    by_bm25,
    by_cosine,
)

from .small import ALL_ROWS, LEARNED, TARGETS

# Items 0 and 1 were taken twice, item 2 once: what the rest is ranked by, below 0.
REST = np.array([2, 2, 1, 0]) / 3 - 1


def cosine(neighbours: int, *, itself: bool) -> np.ndarray:
    fitted = next(by_cosine().fit(LEARNED, [Cosine(neighbours, itself)]))
    return fitted.scores(TARGETS, ALL_ROWS)


def test_cosine_by_hand() -> None:
    # Item 0 was taken by owner 0, item 1 by both, item 2 by owner 1:
    # cos(0, 1) = 1 / (sqrt(1) sqrt(2)) = cos(1, 2), cos(0, 2) = 0.
    near = 1 / sqrt(2)

    # Owner 0 took {0, 1}, however often; owner 1 {1, 2}.
    expected = np.array([[near, near, near, REST[3]], [near, near, near, REST[3]], REST])
    assert cosine(20, itself=False) == pytest.approx(expected, abs=1e-6)
    own = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert cosine(20, itself=True) == pytest.approx(expected + own, abs=1e-6)


def test_the_nearest_are_kept() -> None:
    near = 1 / sqrt(2)
    weighted = sparse.csc_array(np.array([[1, near, 0, 0], [0, near, 1, 0]], np.float32))

    found = Neighbours.of(weighted, 5)

    # One other item for each: 0 has 1, 2 has 1, and of item 1's two equal ones the first.
    assert found.nearest(1, itself=False).toarray() == pytest.approx(
        np.array([[0, near, 0, 0], [near, 0, 0, 0], [0, near, 0, 0], [0, 0, 0, 0]]), abs=1e-6
    )
    # With itself as one of two.
    assert found.nearest(2, itself=True).toarray() == pytest.approx(
        np.array([[1, near, 0, 0], [near, 1, 0, 0], [0, near, 1, 0], [0, 0, 0, 0]]), abs=1e-6
    )


@pytest.mark.parametrize("items", [3, 1_500])
def test_neighbours_agree_with_the_whole_matrix(items: int) -> None:
    rng = np.random.default_rng(0)
    weighted = sparse.random_array((40, items), density=0.1, rng=rng, dtype=np.float64)
    product = (weighted.T @ weighted).toarray()
    np.fill_diagonal(product, 0)
    most = 7

    found = Neighbours.of(weighted.tocsc(), most).nearest(most, itself=False).toarray()

    # The sum of each row's largest values, wherever ties put them.
    assert np.sort(found, axis=1)[:, -most:] == pytest.approx(
        np.sort(product, axis=1)[:, -most:], abs=1e-6
    )
    assert ((found == 0) | np.isclose(found, product)).all()


def test_bm25_weights_by_hand() -> None:
    # Owner 0 took item 0 twice and item 1 once, owner 1 item 1 once; item 2 was never taken.
    counts = sparse.csr_array(np.array([[2.0, 1, 0], [0, 1, 0]]))

    found = bm25_weights(counts, k1=1.2, b=0.75).toarray()

    # Items are documents: lengths 2, 2 and 0, on average 4/3, so norm .25 + .75 * 1.5 = 1.375.
    # Owner 0 is in two of three documents, owner 1 in one.
    idf = [log(3 / 3), log(3 / 2)]
    assert found[0].tolist() == [0, 0, 0]
    assert found[1] == pytest.approx([0, 1 * 2.2 / (1.2 * 1.375 + 1) * idf[1], 0])


def test_bm25_weights_agree_with_the_formula() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(0.4, (30, 20)).astype(float)
    k1, b = 1.5, 0.3

    found = bm25_weights(sparse.csr_array(counts), k1, b).toarray()

    length = counts.sum(axis=0)
    idf = np.log(20) - np.log1p((counts > 0).sum(axis=1))
    norm = 1 - b + b * length / length.mean()
    expected = counts * (k1 + 1) / (k1 * norm + counts) * idf[:, None]
    assert found == pytest.approx(expected, abs=1e-5)


def test_bm25_counts_what_was_taken_twice_twice() -> None:
    fitted = next(by_bm25().fit(LEARNED, [Bm25(20, True, 1.2, 0.0)]))

    found = fitted.scores(TARGETS, ALL_ROWS)

    # Items are 4 documents; owners 0 and 1 are in 2 each: idf log(4) - log(3).
    idf = log(4 / 3)
    once, twice = 1 * idf, 2 * 2.2 / (1.2 + 2) * idf
    # Owner 0 took item 0 twice and item 1 once; item 0 is like itself and like item 1.
    item_0 = 2 * twice**2 + 1 * twice * once
    item_1 = 2 * twice * once + 1 * (once**2 + once**2)
    assert found[0] == pytest.approx([item_0, item_1, 1 * once**2, REST[3]], abs=1e-6)
