from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import root_mean_squared_error

from shelfwise.metrics.root_mean_square import root_mean_square

COLUMNS = arrays(np.float64, 7, elements=st.floats(-5, 5))
WEIGHTS = arrays(np.float64, 7, elements=st.floats(0.5, 3))


def test_by_hand() -> None:
    # sqrt((1^2 + 2^2) / 2); with weights 3 and 1: sqrt((3 + 4) / 4)
    predicted, true = np.array([2.0, 1.0]), np.array([1.0, 3.0])

    assert root_mean_square(predicted, true) == (pytest.approx(sqrt(2.5)), 2)
    weighted = root_mean_square(predicted, true, np.array([3, 1]))
    assert weighted.value == pytest.approx(sqrt(7 / 4))


@given(COLUMNS, COLUMNS, WEIGHTS, st.permutations(range(7)))
def test_agrees_with_scikit_learn(
    predicted: np.ndarray, true: np.ndarray, weight: np.ndarray, order: list[int]
) -> None:
    value = root_mean_square(predicted, true, weight).value

    expected = root_mean_squared_error(true, predicted, sample_weight=weight)
    assert value == pytest.approx(expected)
    again = root_mean_square(predicted[order], true[order], weight[order]).value
    assert again == pytest.approx(value)


def test_nothing_and_nan() -> None:
    assert np.isnan(root_mean_square(np.empty(0), np.empty(0)).value)
    with pytest.raises(ValueError, match="1 of 2 rows hold nan"):
        root_mean_square(np.array([1, np.nan]), np.ones(2))
