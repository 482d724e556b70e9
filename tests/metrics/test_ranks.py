from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.metrics import ranks as module
from shelfwise.metrics.ranks import ranks_of_relevant

SCORES = arrays(
    np.float32, (5, 7), elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0, np.inf])
)
# For every (user, item): 0 nothing, 1 relevant, 2 excluded.
ROLES = arrays(np.int64, (5, 7), elements=st.integers(0, 2))


def test_ranks_by_hand() -> None:
    # user 0: .9 (item 2) | .5 (items 0, 3) | .1 (item 1)
    # user 1: item 3 is excluded; .8 (item 1) | .2 (items 0, 2)
    score = np.array([[0.5, 0.1, 0.9, 0.5], [0.2, 0.8, 0.2, 0.9]])
    user, item = np.array([1, 0, 0, 1]), np.array([2, 3, 1, 1])

    ranks = ranks_of_relevant(score, user, item, np.array([1, 1]), np.array([3, 3]))

    assert ranks.first_P.tolist() == [2, 2, 4, 1]
    assert ranks.last_P.tolist() == [3, 3, 4, 1]


def test_an_excluded_item_stands_below_one_that_scores_minus_infinity() -> None:
    # -inf (items 0 and 1), item 2 excluded: the two share places 1 and 2.
    score = np.full((1, 3), -np.inf)

    ranks = ranks_of_relevant(score, np.array([0]), np.array([1]), np.array([0]), np.array([2]))

    assert ranks == (1, 2)


@pytest.mark.parametrize("block_cells", [1, 14, 4_000_000])
@given(score=SCORES, role=ROLES)
def test_agrees_with_counting(score: np.ndarray, role: np.ndarray, block_cells: int) -> None:
    user, item = np.nonzero(role == 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_CELLS", block_cells)
        ranks = ranks_of_relevant(score, user[::-1], item[::-1], *np.nonzero(role == 2))

    for u, v, first, last in zip(user[::-1], item[::-1], *ranks, strict=True):
        ranked = score[u][role[u] != 2]
        assert first == 1 + (ranked > score[u, v]).sum()
        assert last == (ranked >= score[u, v]).sum()


def test_scores_are_not_written_to() -> None:
    score = np.array([[0.2, 0.9, 0.4]])
    score.flags.writeable = False

    assert ranks_of_relevant(score, np.array([0]), np.array([0]), np.array([0]), np.array([1])) == (
        2,
        2,
    )


def test_columns_of_a_wider_matrix_are_ranked_alone() -> None:
    # A view whose rows do not follow each other in memory.
    wide = np.array([[0.2, 9.0, 0.9, 9.0], [0.8, 9.0, 0.1, 9.0]])

    assert ranks_of_relevant(wide[:, ::2], np.array([0, 1]), np.array([0, 0])).first_P.tolist() == [
        2,
        1,
    ]


def test_wrong_pairs_are_refused() -> None:
    score = np.zeros((2, 3))
    one, none = np.array([1]), None
    with pytest.raises(ValueError, match=r"item 3\.\.3 outside the 3 scored"):
        ranks_of_relevant(score, one, np.array([3]))
    with pytest.raises(ValueError, match="1 relevant pairs stand more than once"):
        ranks_of_relevant(score, np.array([1, 1]), np.array([2, 2]))
    with pytest.raises(ValueError, match="1 relevant pairs are excluded as well"):
        ranks_of_relevant(score, one, one, one, one)
    with pytest.raises(ValueError, match="both the users and the items"):
        ranks_of_relevant(score, one, one, one, none)
    with pytest.raises(ValueError, match="6 of 6 scores are nan"):
        ranks_of_relevant(score * np.nan, one, one)
