from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from shelfwise.metrics.f1_threshold import f1_threshold


def test_threshold_by_hand() -> None:
    # at .9: 1 right of 1 called: 2*1/(1+2) = .67;  .7: 2*1/(2+2) = .5
    # at .4: 2*2/(3+2) = .8;                        .1: 2*2/(4+2) = .67
    score = np.array([0.4, 0.9, 0.1, 0.7])
    label = np.array([True, True, False, False])

    assert f1_threshold(score, label) == (0.4, pytest.approx(0.8), 4)


def test_highest_of_equal_thresholds() -> None:
    # at .9: 2*1/(1+2);  at .3: 2*2/(4+2): both 2/3
    score = np.array([0.9, 0.3, 0.3, 0.3])

    assert f1_threshold(score, np.array([True, True, False, False])).threshold == 0.9


@given(
    arrays(np.float64, 10, elements=st.integers(0, 5).map(float)),
    arrays(np.bool_, 10).filter(np.any),
)
def test_no_threshold_is_better(score: np.ndarray, label: np.ndarray) -> None:
    found = f1_threshold(score, label)

    assert found.f1 == pytest.approx(f1_score(label, score >= found.threshold))
    assert found.f1 == pytest.approx(max(f1_score(label, score >= t) for t in score))


def test_without_positives_nothing_is_called() -> None:
    found = f1_threshold(np.array([0.1, 0.2]), np.array([False, False]))

    assert np.isnan(found.threshold)
    assert found.support == 0
