from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from shelfwise.evaluation.baselines.ease import Ease, Ridge, ease
from shelfwise.retrieval.ease import ease_weights

from .small import ALL_ROWS, LEARNED, TARGETS


def test_two_items_by_hand() -> None:
    # X'X = [[2, 1], [1, 1]]; with 1 added to its diagonal [[3, 1], [1, 2]], whose inverse is
    # [[2, -1], [-1, 3]] / 5. Each column over minus its own diagonal: 1/3 below, 1/2 above.
    taken = sparse.csr_array(np.array([[1, 1], [1, 0]], np.float32))

    found = ease_weights(taken, regularisation=1)

    assert found == pytest.approx(np.array([[0, 1 / 3], [1 / 2, 0]]))


def test_weights_solve_the_regression_of_each_item_on_the_others() -> None:
    rng = np.random.default_rng(0)
    taken = (rng.random((60, 12)) < 0.3).astype(np.float64)
    strength = 5.0

    found = ease_weights(sparse.csr_array(taken.astype(np.float32)), strength)

    for item in range(12):
        others = np.arange(12) != item
        x = taken[:, others]
        ridge = np.linalg.solve(x.T @ x + strength * np.eye(11), x.T @ taken[:, item])
        assert found[others, item] == pytest.approx(ridge, abs=1e-4)
    assert (np.diag(found) == 0).all()


def test_blocks_change_nothing() -> None:
    # More items than one block holds; most of them alone, so that the inverse is easy to check.
    rng = np.random.default_rng(1)
    taken = sparse.random_array((300, 1_100), density=0.01, rng=rng, dtype=np.float64)
    taken.data[:] = 1

    found = ease_weights(taken.tocsr().astype(np.float32), 10)

    inverse = np.linalg.inv((taken.T @ taken).toarray() + 10 * np.eye(1_100))
    expected = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(expected, 0)
    # A million numbers: pytest.approx would take ten seconds over them.
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)


def test_scores_are_sums_over_the_shoppers_own_items() -> None:
    plain = Ease.of(LEARNED, Ridge(1, False))

    found = plain.scores(TARGETS, ALL_ROWS)

    # Owner 0 took {0, 1}, owner 1 {1, 2}; owner 2 is shown what is popular.
    weight = plain.weight_VV
    assert found[0] == pytest.approx(weight[0] + weight[1])
    assert found[1] == pytest.approx(weight[1] + weight[2])
    assert found[2] == pytest.approx(np.array([2, 2, 1, 0]) / 3)


def test_counts_enter_as_logarithms() -> None:
    counted = Ease.of(LEARNED, Ridge(1, True))

    found = counted.scores(TARGETS, ALL_ROWS)

    # Owner 0 took item 0 twice and item 1 once.
    weight = counted.weight_VV
    assert found[0] == pytest.approx(np.log(3) * weight[0] + np.log(2) * weight[1])


def test_a_large_catalogue_tries_fewer_settings() -> None:
    assert len(ease(12_000).settings) < len(ease(3_000).settings)
