from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import classification_report as reference

from shelfwise.metrics.classification_report import ClassScores, classification_report

CLASSES = arrays(np.int64, 14, elements=st.integers(0, 3))


def test_report_by_hand() -> None:
    # true      a a a b b c
    # predicted a a b b a a   -> right: a 2, b 1, c 0; predicted: a 4, b 2, c 0
    true = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 1, 1, 0, 0])

    report = classification_report(true, predicted, ["a", "b", "c"])

    a, b, c = report.classes
    assert a == ClassScores("a", 2 / 4, pytest.approx(2 / 3), pytest.approx(4 / 7), 3)
    assert b == ClassScores("b", 1 / 2, 1 / 2, 2 / 4, 2)
    # c is never predicted: precision is a share of nothing, but recall and F1 are 0.
    assert np.isnan(c.precision)
    assert (c.recall, c.f1, c.support) == (0, 0, 1)
    assert report.accuracy == pytest.approx(3 / 6)
    assert report.support == 6
    assert report.macro == ClassScores(
        "macro", 1 / 2, pytest.approx(7 / 18), pytest.approx((4 / 7 + 1 / 2) / 3), 6
    )
    assert report.weighted.f1 == pytest.approx((3 * 4 / 7 + 2 * 1 / 2) / 6)


@given(CLASSES, CLASSES)
def test_agrees_with_scikit_learn(true: np.ndarray, predicted: np.ndarray) -> None:
    # Where no class that occurs is predicted, the weighted precision is a share of nothing: nan
    # here, while scikit-learn falls back to the unweighted mean.
    assume(np.isin(true, predicted).any())
    names = ["a", "b", "c", "d"]
    report = classification_report(true, predicted, names)
    expected = reference(
        true,
        predicted,
        labels=range(4),
        target_names=names,
        output_dict=True,
        zero_division=np.nan,
    )

    for key, ours in [
        *((scores.name, scores) for scores in report.classes),
        ("macro avg", report.macro),
        ("weighted avg", report.weighted),
    ]:
        theirs = expected[key]
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(
            (theirs["precision"], theirs["recall"], theirs["f1-score"]), nan_ok=True
        )
        assert ours.support == theirs["support"]


def test_no_row_is_nan_with_support_0() -> None:
    none = np.empty(0, dtype=np.int64)
    report = classification_report(none, none, ["a", "b"])

    assert np.isnan([report.accuracy, report.macro.f1, report.weighted.f1]).all()
    assert report.support == 0


def test_a_class_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"class 0\.\.2 outside the 2 names"):
        classification_report(np.array([0, 1]), np.array([0, 2]), ["a", "b"])
