from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from shelfwise.metrics.quadratic_kappa import quadratic_kappa

GRADES = arrays(np.int64, 9, elements=st.integers(0, 3))
WEIGHTS = arrays(np.int64, 9, elements=st.integers(1, 3))


def test_by_hand() -> None:
    # a: 0 1 2, b: 0 2 2. Found: (0 + 1 + 0) / 3. By chance, over 9 pairs:
    # 0 against 0 2 2: 8; 1 against 0 2 2: 3; 2 against 0 2 2: 4, so 15 / 9.  1 - (1/3) / (5/3)
    found = quadratic_kappa(np.array([0, 1, 2]), np.array([0, 2, 2]))

    assert found == (pytest.approx(0.8), 3)


@given(GRADES, GRADES, WEIGHTS, st.permutations(range(9)))
def test_agrees_with_scikit_learn(
    a: np.ndarray, b: np.ndarray, weight: np.ndarray, order: list[int]
) -> None:
    found = quadratic_kappa(a, b, weight)

    if len(set(a.tolist()) | set(b.tolist())) == 1:
        assert np.isnan(found.value)
        return
    # scikit-learn takes a grade that occurs nowhere for none at all, unless it is named.
    expected = cohen_kappa_score(a, b, labels=range(4), weights="quadratic", sample_weight=weight)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert quadratic_kappa(b, a, weight).value == pytest.approx(expected, abs=1e-9)
    again = quadratic_kappa(a[order] + 1000, b[order] + 1000, weight[order])
    assert again.value == pytest.approx(expected, abs=1e-9)


def test_no_rows() -> None:
    assert quadratic_kappa(np.empty(0, int), np.empty(0, int)).support == 0
