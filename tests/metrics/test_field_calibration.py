from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.metrics.calibration_error import calibration_error
from shelfwise.metrics.field_calibration import field_calibration
from shelfwise.metrics.predicted_over_observed import predicted_over_observed

CHANCES = arrays(np.float64, 12, elements=st.floats(0, 1))
LABELS = arrays(np.bool_, 12)
FIELDS = arrays(np.int64, 12, elements=st.integers(0, 3))

P = np.array([0.5, 0.1, 0.2, 0.4, 0.3])
LABEL = np.array([True, False, True, False, False])
FIELD = np.array(["search", "ads", "ads", "search", "shelf"])


def test_by_hand() -> None:
    # ads: .3 promised, 1 came, 2 rows. search: .9 and 1, 2 rows. shelf: .3 and 0, 1 row.
    found = field_calibration(P, LABEL, FIELD)

    assert found.value_F.tolist() == ["ads", "search", "shelf"]
    assert found.rows_F.tolist() == [2, 2, 1]
    assert found.predicted_over_observed() == pytest.approx([0.3, 0.9, np.nan], nan_ok=True)
    # Field-ECE: (.7 + .1 + .3) / 5; on the whole, 1.5 promised for 2 that came hides it.
    assert found.error() == (pytest.approx(1.1 / 5), 5)
    # Field-RCE of the four rows whose value has a positive one: (2 * .7 + 2 * .1) / 4
    assert found.relative_error() == (pytest.approx(0.4), 4)


def test_weights_are_copies_and_rows_without_weight_are_no_rows() -> None:
    times = np.array([2, 1, 3, 1, 0])

    weighted = field_calibration(P, LABEL, FIELD, times)
    copied = field_calibration(P.repeat(times), LABEL.repeat(times), FIELD.repeat(times))

    assert weighted.value_F.tolist() == ["ads", "search"]
    assert weighted.error().value == pytest.approx(copied.error().value)
    assert weighted.relative_error().value == pytest.approx(copied.relative_error().value)
    assert weighted.error().support == 4


@given(CHANCES, LABELS, FIELDS, st.permutations(range(12)))
def test_laws(p: np.ndarray, label: np.ndarray, field: np.ndarray, order: list[int]) -> None:
    found = field_calibration(p, label, field)

    again = field_calibration(p[order], label[order], field[order])
    assert again.error().value == pytest.approx(found.error().value)
    assert again.relative_error().value == pytest.approx(found.relative_error().value, nan_ok=True)
    # One value for all rows: the whole's own PCOC, and the calibration error in one bin.
    whole = field_calibration(p, label, np.zeros(12, int))
    expected = predicted_over_observed(p, label).value
    assert whole.predicted_over_observed() == pytest.approx([expected], nan_ok=True)
    assert whole.error().value == pytest.approx(calibration_error(p, label, bins=1).value)
    assert found.error().value >= whole.error().value - 1e-12


def test_nothing_to_measure() -> None:
    none = field_calibration(P[:0], LABEL[:0], FIELD[:0])

    assert none.error().support == 0
    assert np.isnan(none.relative_error().value)
    assert field_calibration(P, ~LABEL & LABEL, FIELD).relative_error().support == 0
