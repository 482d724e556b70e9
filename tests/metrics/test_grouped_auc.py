from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.metrics.auc import auc
from shelfwise.metrics.grouped_auc import auc_by_group, grouped_auc

SCORES = arrays(np.float32, 20, elements=st.integers(0, 3).map(float))
LABELS = arrays(np.bool_, 20)
GROUPS = arrays(np.int64, 20, elements=st.integers(-1, 4))


def test_grouped_auc_by_hand() -> None:
    # request 1: clicked .9 beats .1 and ties .9  -> (1 + .5)/2 = .75, weight 3
    # request 2: clicked .2 loses to .8           -> 0,               weight 2
    # request 3: nothing clicked                  -> no AUC
    score = np.array([0.9, 0.9, 0.1, 0.2, 0.8, 0.5])
    label = np.array([1, 0, 0, 1, 0, 0], dtype=bool)
    group = np.array([1, 1, 1, 2, 2, 3])

    assert grouped_auc(score, label, group) == (pytest.approx((3 * 0.75 + 2 * 0) / 5), 2)
    values = auc_by_group(score, label, group)
    assert values.group_G.tolist() == [1, 2, 3]
    assert values.value_G == pytest.approx([0.75, 0, np.nan], nan_ok=True)
    assert values.rows_G.tolist() == [3, 2, 1]


@given(SCORES, LABELS, GROUPS)
def test_each_group_has_the_auc_of_its_rows(
    score: np.ndarray, label: np.ndarray, group: np.ndarray
) -> None:
    values = auc_by_group(score, label, group)

    expected = [auc(score[group == one], label[group == one]).value for one in values.group_G]
    assert values.value_G == pytest.approx(expected, nan_ok=True)


@given(SCORES, LABELS, GROUPS, st.permutations(range(20)))
def test_the_order_of_rows_does_not_count(
    score: np.ndarray, label: np.ndarray, group: np.ndarray, order: list[int]
) -> None:
    assert grouped_auc(score[order], label[order], group[order]) == pytest.approx(
        grouped_auc(score, label, group), nan_ok=True
    )


def test_one_group_is_plain_auc_and_groups_may_be_text() -> None:
    score, label = np.array([0.3, 0.1, 0.3]), np.array([True, False, False])

    assert grouped_auc(score, label, np.array(["a", "a", "a"])) == auc(score, label)._replace(
        support=1
    )


def test_nothing_to_compare_is_nan() -> None:
    empty = np.empty(0)
    for found in (
        grouped_auc(empty, empty.astype(bool), empty.astype(int)),
        grouped_auc(np.array([0.5, 0.2]), np.array([True, False]), np.array([1, 2])),
    ):
        assert np.isnan(found.value)
        assert found.support == 0


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"grouped_auc needs one value per row.*\[2, 2, 1\]"):
        grouped_auc(np.zeros(2), np.zeros(2, dtype=bool), np.zeros(1, dtype=int))


def test_groups_of_one_class_are_counted() -> None:
    # Group 0 has both classes, group 1 clicks alone, group 2 none.
    label = np.array([True, False, True, False, False])

    found = auc_by_group(np.arange(5.0), label, np.array([0, 0, 1, 2, 2]))

    assert found.left_out == 2
    assert grouped_auc(np.arange(5.0), label, np.array([0, 0, 1, 2, 2])).support == 1
