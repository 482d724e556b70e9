from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.evaluation.top_lists import top_items

from .baselines.small import ints

SCORES = arrays(np.float32, (4, 6), elements=st.sampled_from([0.0, 1.0, 2.0, -np.inf]))
EXCLUDED = arrays(np.bool_, (4, 6))


def test_by_hand() -> None:
    # Row 0: item 3 is best but excluded; items 0 and 2 tie and stand in the catalogue's order.
    # Row 1: one item can be shown at all.
    score = np.array([[1, 0, 1, 9], [-np.inf, 3, -np.inf, 5]], np.float32)

    found = top_items(score, 2, ints(0, 1), ints(3, 3))

    assert found.tolist() == [[0, 2], [1, -1]]
    assert score[0, 3] == 9  # as it was


@given(SCORES, EXCLUDED, st.integers(1, 7))
def test_is_a_stable_sort(score: np.ndarray, gone: np.ndarray, k: int) -> None:
    found = top_items(score, k, *np.nonzero(gone))

    for row in range(4):
        left = np.where(gone[row], -np.inf, score[row])
        order = [item for item in np.argsort(-left, kind="stable") if left[item] > -np.inf][:k]
        assert found[row].tolist() == order + [-1] * (min(k, 6) - len(order))
