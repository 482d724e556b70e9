"""Where each relevant item stands in the ranking of the whole catalogue.

Shape suffixes in this file: U = users (or queries, requests); V = items of the catalogue;
P = relevant (user, item) pairs; X = excluded (user, item) pairs; B = users of one block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_ordered

_BLOCK_CELLS = 4_000_000  # scores copied and sorted at a time: 16 MB in float32


class TiedRanks(NamedTuple):
    """First and last position, from 1, of the items that score the same as the pair's item.

    They differ only under ties. The metrics take the expectation over every order of the
    tied items, so a model that scores all items alike gets what a random order earns.
    """

    first_P: NDArray[np.int64]
    last_P: NDArray[np.int64]


def ranks_of_relevant(
    score_UV: NDArray[np.floating],
    relevant_user_P: NDArray[np.integer],
    relevant_item_P: NDArray[np.integer],
    excluded_user_X: NDArray[np.integer] | None = None,
    excluded_item_X: NDArray[np.integer] | None = None,
) -> TiedRanks:
    """Rank every item for every user and look the relevant ones up.

    Scores are compared in their own precision. Each user's row is sorted once, whatever the
    number of relevant items, a block of users at a time.

    Args:
        score_UV: ``[U, V]`` higher means ranked earlier; infinities are allowed, nan is not.
        relevant_user_P: ``[P]`` row of each relevant pair, in any order.
        relevant_item_P: ``[P]`` its column; a pair stands once.
        excluded_user_X: ``[X]`` rows of pairs that leave the ranking, such as items already
            bought; a pair may stand more than once, but is never relevant as well.
        excluded_item_X: ``[X]`` their columns.
    """
    relevant_P = _cells(score_UV, relevant_user_P, relevant_item_P)
    if (excluded_user_X is None) != (excluded_item_X is None):
        raise ValueError("ranks_of_relevant needs both the users and the items of excluded pairs")
    excluded_X = np.empty(0, dtype=np.int64)
    if excluded_user_X is not None and excluded_item_X is not None:
        excluded_X = np.unique(_cells(score_UV, excluded_user_X, excluded_item_X))
    _require_distinct(relevant_P, excluded_X)

    users, items = score_UV.shape
    by_user_P = np.argsort(relevant_P)
    cell_P = relevant_P[by_user_P]
    first_P = np.empty(len(cell_P), dtype=np.int64)
    last_P = np.empty(len(cell_P), dtype=np.int64)
    step = max(1, _BLOCK_CELLS // max(items, 1))
    for start in range(0, users, step):
        low, high = start * items, min(start + step, users) * items
        pairs = slice(*np.searchsorted(cell_P, [low, high]))
        if pairs.start == pairs.stop:
            continue
        gone = excluded_X[slice(*np.searchsorted(excluded_X, [low, high]))] - low
        ranks = _ranks_in_block(score_UV[start : start + step], cell_P[pairs] - low, gone)
        first_P[by_user_P[pairs]], last_P[by_user_P[pairs]] = ranks
    return TiedRanks(first_P, last_P)


def _ranks_in_block(
    score_BV: NDArray[np.floating], cell_P: NDArray[np.int64], excluded_X: NDArray[np.int64]
) -> TiedRanks:
    """Ranks of cells of a block; both lists of cells rise."""
    users, items = score_BV.shape
    require_ordered("ranks_of_relevant", score_BV)
    score_P = score_BV.reshape(-1)[cell_P]
    rising_BV = score_BV.copy()
    rising_BV.reshape(-1)[excluded_X] = -np.inf
    rising_BV.sort(axis=1)

    edge_of_user = np.searchsorted(cell_P, np.arange(users + 1) * items)
    below_P = np.empty(len(cell_P), dtype=np.int64)
    not_above_P = np.empty(len(cell_P), dtype=np.int64)
    for user in np.unique(cell_P // items):
        mine = slice(edge_of_user[user], edge_of_user[user + 1])
        below_P[mine] = np.searchsorted(rising_BV[user], score_P[mine], side="left")
        not_above_P[mine] = np.searchsorted(rising_BV[user], score_P[mine], side="right")
    # Excluded items stand at the very bottom, also below an item that scores -inf itself.
    excluded_B = np.bincount(excluded_X // items, minlength=users)
    below_P = np.maximum(below_P, excluded_B[cell_P // items])
    return TiedRanks(first_P=items - not_above_P + 1, last_P=items - below_P)


def _cells(
    score_UV: NDArray[np.floating], user: NDArray[np.integer], item: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Number of each pair's cell, counted row by row."""
    require_one_per_row("ranks_of_relevant", user, item)
    users, items = score_UV.shape
    for name, index, size in (("user", user, users), ("item", item, items)):
        if len(index) and not (index.min() >= 0 and index.max() < size):
            raise ValueError(
                f"ranks_of_relevant: {name} {index.min()}..{index.max()} outside the {size} scored"
            )
    cells: NDArray[np.int64] = user.astype(np.int64) * items + item
    return cells


def _require_distinct(relevant_P: NDArray[np.int64], excluded_X: NDArray[np.int64]) -> None:
    repeated = len(relevant_P) - len(np.unique(relevant_P))
    if repeated:
        raise ValueError(f"ranks_of_relevant: {repeated} relevant pairs stand more than once")
    both = int(np.count_nonzero(np.isin(relevant_P, excluded_X)))
    if both:
        raise ValueError(f"ranks_of_relevant: {both} relevant pairs are excluded as well")
