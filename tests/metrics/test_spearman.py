from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from shelfwise.metrics.spearman import SortedSpearman, spearman

COLUMNS = arrays(np.float64, 9, elements=st.integers(0, 4).map(float)).filter(
    lambda column: len(set(column.tolist())) > 1
)
WEIGHTS = arrays(np.int64, 9, elements=st.integers(0, 3))


def test_by_hand() -> None:
    # Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 * (1+1+1+1) / (4 * 15) = 0.6
    a, b = np.array([10.0, 20.0, 30.0, 90.0]), np.array([2.0, 1.0, 4.0, 3.0])

    assert spearman(a, b) == (pytest.approx(0.6), 4)
    assert spearman(a, -a).value == pytest.approx(-1)


@given(COLUMNS, COLUMNS)
def test_agrees_with_scipy(a: np.ndarray, b: np.ndarray) -> None:
    assert spearman(a, b).value == pytest.approx(spearmanr(a, b).statistic)


@given(COLUMNS, COLUMNS, WEIGHTS, st.permutations(range(9)))
def test_laws(a: np.ndarray, b: np.ndarray, weight: np.ndarray, order: list[int]) -> None:
    value = spearman(a, b).value

    assert spearman(a[order], b[order]).value == pytest.approx(value)
    assert spearman(np.exp(a), b).value == pytest.approx(value)
    assert spearman(b, a).value == pytest.approx(value)
    copies = spearman(a.repeat(weight), b.repeat(weight)).value
    assert SortedSpearman.of(a, b)(weight) == pytest.approx(copies, nan_ok=True)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_constant_column_has_no_order(size: int) -> None:
    found = spearman(np.ones(size), np.arange(size, dtype=float))

    assert np.isnan(found.value)
    assert found.support == 0
