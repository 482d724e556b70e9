from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.metrics.reliability_curve import reliability_curve

PREDICTIONS = arrays(np.float64, 15, elements=st.integers(0, 8).map(lambda n: n / 8))
LABELS = arrays(np.bool_, 15)
COPIES = arrays(np.int64, 15, elements=st.integers(0, 3)).filter(lambda n: n.sum() > 0)


def test_curve_by_hand() -> None:
    # Two bins of two rows: (.1, .3) with one click, (.6, .8) with two.
    p = np.array([0.8, 0.1, 0.6, 0.3])
    label = np.array([True, False, True, True])

    curve = reliability_curve(p, label, bins=2)

    assert curve.predicted_K == pytest.approx([0.2, 0.7])
    assert curve.observed_K == pytest.approx([0.5, 1.0])
    assert curve.count_K.tolist() == [2, 2]


def test_equal_predictions_share_the_bin_of_their_middle() -> None:
    # Of ten rows the five of .2 end at .5 of the mass, middle .25: bin 1 of 4;
    # the five of .4 have their middle at .75: bin 3. Bins 0 and 2 are empty, so left out.
    p = np.repeat([0.2, 0.4], 5)

    curve = reliability_curve(p, np.arange(10) < 3, bins=4)

    assert curve.predicted_K == pytest.approx([0.2, 0.4])
    assert curve.observed_K == pytest.approx([0.6, 0.0])
    assert curve.count_K.tolist() == [5, 5]


@given(PREDICTIONS, LABELS, st.integers(1, 20))
def test_bins_rise_and_hold_every_row(p: np.ndarray, label: np.ndarray, bins: int) -> None:
    curve = reliability_curve(p, label, bins)

    assert len(curve.count_K) <= bins
    assert (np.diff(curve.predicted_K) > 0).all()
    assert curve.count_K.sum() == 15
    assert curve.count_K @ curve.predicted_K == pytest.approx(p.sum())
    assert curve.count_K @ curve.observed_K == pytest.approx(label.sum())


@given(PREDICTIONS, LABELS, COPIES, st.permutations(range(15)))
def test_a_weight_is_a_number_of_copies_in_any_order(
    p: np.ndarray, label: np.ndarray, copies: np.ndarray, order: list[int]
) -> None:
    weighted = reliability_curve(p, label, 4, copies)
    rows = np.repeat(order, copies[order])
    repeated = reliability_curve(p[rows], label[rows], 4)

    for one, other in zip(weighted, repeated, strict=True):
        assert one == pytest.approx(other)


def test_no_mass_has_no_curve() -> None:
    curve = reliability_curve(np.array([0.5]), np.array([True]), weight_N=np.array([0.0]))

    assert [len(column) for column in curve] == [0, 0, 0]


def test_no_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 bin, got 0"):
        reliability_curve(np.array([0.5]), np.array([True]), bins=0)
