from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss as reference

from shelfwise.metrics.log_loss import log_loss


def test_log_loss_by_hand() -> None:
    # clicked at 1/2: log 2;  not clicked at 1/4: -log(3/4) = log(4/3)
    p, label = np.array([0.5, 0.25]), np.array([True, False])

    assert log_loss(p, label) == (pytest.approx((log(2) + log(4 / 3)) / 2), 2)
    # weights 3 and 1; a row of weight 0 is no support
    assert log_loss(p, label, np.array([3, 1])).value == pytest.approx(
        (3 * log(2) + log(4 / 3)) / 4
    )
    assert log_loss(p, label, np.array([0.0, 2.0])) == (pytest.approx(log(4 / 3)), 1)


def test_certain_and_wrong_costs_the_epsilon_of_the_type() -> None:
    label = np.array([True])

    assert log_loss(np.zeros(1), label).value == pytest.approx(52 * log(2))  # eps = 2**-52
    assert log_loss(np.zeros(1, dtype=np.float32), label).value == pytest.approx(23 * log(2))
    assert log_loss(np.ones(1), label).value == pytest.approx(0, abs=1e-15)


@given(
    arrays(np.float64, 9, elements=st.floats(0, 1)),
    arrays(np.bool_, 9),
    arrays(np.float64, 9, elements=st.floats(0.1, 4)),
)
def test_agrees_with_scikit_learn(p: np.ndarray, label: np.ndarray, weight: np.ndarray) -> None:
    expected = reference(label, p, sample_weight=weight, labels=[False, True])

    assert log_loss(p, label, weight).value == pytest.approx(expected)


def test_no_row_is_nan() -> None:
    found = log_loss(np.empty(0), np.empty(0, dtype=bool))

    assert np.isnan(found.value)
    assert found.support == 0


def test_a_logit_is_not_a_probability() -> None:
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\], got 3\.0"):
        log_loss(np.array([0.5, 3.0]), np.array([True, False]))
