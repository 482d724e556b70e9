"""Which items go together, and which follows which: the strongest neighbours of every item.

Two relations, each counted once from what was taken. *Together* is EASE's weight of one item for
another, what is known of an owner's taste whatever the order; *next* is the chance that the second
is taken soon after the first. Catalogues too large for EASE's dense matrix use the cosine of
owners instead.

Shape suffixes in this file: U = owners, V = items, E = matches, K = neighbours of an item, T =
tables, F = folds of owners, beside all of them together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.metrics.ndcg import ndcg_at_k
from shelfwise.metrics.ranks import ranks_of_relevant
from shelfwise.retrieval.ease import ease_weights
from shelfwise.retrieval.taken import Taken, follows
from shelfwise.schema.progress import Progress, Silent

_MOST_OF_EASE = 15_000  # items; above them the dense matrix is too much
_MANY = 6_000  # items; above them fewer folds are solved for
_USUAL_STRENGTH = 300.0  # EASE's regularisation where nothing tells a better one
_STRENGTHS = (300.0, 100.0, 30.0, 1_000.0)
_MOST_JUDGED = 2_000  # owners that one is chosen by
_JUDGED_PLACES = 10
_REACH = 3  # an item follows another within so many steps, at 1 / distance
_SHRUNK = 1.0  # pairs that nobody took, added to each item's followers
_BLOCK = 1_024


class NeighbourArrays(NamedTuple):
    """As `models.neighbours.NeighbourTables` holds them."""

    item_TXK: NDArray[np.int32]
    weight_TXK: NDArray[np.float32]


def folds_of(items: int) -> int:
    """Into how many folds owners are parted."""
    return 2 if items > _MANY else 4


def fold_of(owner: NDArray[np.int64], items: int) -> NDArray[np.int64]:
    """The fold of each owner, from 1: the tables that have not learned from him."""
    return owner % folds_of(items) + 1


def neighbour_arrays(taken: Taken, most: int, progress: Progress | None = None) -> NeighbourArrays:
    """The ``most`` strongest neighbours of every item, by all owners and without each fold."""
    folds = folds_of(taken.items)
    width = max(1, min(most, taken.items))
    shape = (2, (folds + 1) * taken.items, width)
    found = NeighbourArrays(np.zeros(shape, np.int32), np.zeros(shape, np.float32))
    fold_E = fold_of(taken.owner_E, taken.items)
    with (progress or Silent()).step("Items that go together", total=folds + 2) as step:
        strength = best_strength(taken.chosen(fold_E != 1), taken.chosen(fold_E == 1))
        step.advance(1)
        for fold in range(folds + 1):
            some = taken.chosen(fold_E != fold)
            rows = slice(fold * taken.items, (fold + 1) * taken.items)
            for place, weight_VV in enumerate(
                (_together(some, strength), follows(some, _REACH, _SHRUNK))
            ):
                _strongest(weight_VV, found.item_TXK[place, rows], found.weight_TXK[place, rows])
            step.advance(1)
    return found


def best_strength(known: Taken, held: Taken) -> float:
    """The regularisation with which the weights of ``known`` find what ``held`` owners took last.

    By NDCG@10 of each one's last item, where the others he took are known and leave the ranking.
    """
    if held.items > _MANY:
        return _USUAL_STRENGTH
    once = held.newest_once()
    last_U = np.flatnonzero(np.diff(once.owner_E, append=-1) != 0)
    several_U = np.diff(last_U, prepend=-1) > 1
    last_U = last_U[several_U][:_MOST_JUDGED]
    if len(last_U) == 0:
        return _USUAL_STRENGTH
    item_U, row_U = once.item_E[last_U], np.arange(len(last_U))
    is_other_UV = _matrix(once)[once.owner_E[last_U]].toarray() > 0
    is_other_UV[row_U, item_U] = False
    known_UV = _matrix(known)
    gains: list[float] = []
    for strength in _STRENGTHS:
        score_UV = is_other_UV.astype(np.float32) @ ease_weights(known_UV, strength)
        score_UV[is_other_UV] = -np.inf
        ranks = ranks_of_relevant(score_UV, row_U, item_U)
        gains.append(float(ndcg_at_k(ranks, row_U, np.ones_like(row_U), _JUDGED_PLACES).mean()))
    return _STRENGTHS[int(np.argmax(gains))]


def _strongest(
    weight_VV: NDArray[np.float32] | sparse.csr_array,
    item_VK: NDArray[np.int32],
    weight_VK: NDArray[np.float32],
) -> None:
    """Write the strongest of each row, none below 0."""
    width = item_VK.shape[1]
    for start in range(0, len(item_VK), _BLOCK):
        block = weight_VV[start : start + _BLOCK]
        block_BV = block if isinstance(block, np.ndarray) else block.toarray()
        best_BK = np.argpartition(-block_BV, width - 1, axis=1)[:, :width]
        item_VK[start : start + _BLOCK] = best_BK
        found_BK = np.take_along_axis(block_BV, best_BK, 1)
        weight_VK[start : start + _BLOCK] = np.maximum(found_BK, 0)


def _matrix(taken: Taken) -> sparse.csr_array:
    """``[U, V]`` whether each owner took each item."""
    taken_UV = taken.matrix().astype(np.float32)
    taken_UV.data[:] = 1
    return taken_UV


def _together(taken: Taken, strength: float) -> NDArray[np.float32] | sparse.csr_array:
    if taken.items <= _MOST_OF_EASE:
        return ease_weights(_matrix(taken), strength)
    taken_UV = _matrix(taken)
    count_V = np.asarray(taken_UV.sum(axis=0)).ravel()
    scale = sparse.diags_array(1 / np.sqrt(count_V + _SHRUNK))
    near_VV = (scale @ (taken_UV.T @ taken_UV) @ scale).tocsr()
    near_VV.setdiag(0)
    return near_VV
