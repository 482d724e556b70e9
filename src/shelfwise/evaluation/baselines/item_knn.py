"""Item-kNN: items taken by the same owners (Sarwar et al., 2001), cosine of binary columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.history import History
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.role import Taken, past_counts


class Choice(NamedTuple):
    """What validation decides."""

    neighbours: int  # items kept for each item
    itself: bool  # whether an item is its own nearest neighbour, so that repeats rank high


CHOICES = tuple(
    Choice(neighbours, itself) for neighbours in (20, 100, 1_000) for itself in (False, True)
)


@dataclass(frozen=True, slots=True)
class ItemKnn:
    """Sum of the similarities to the items of the shopper's own history."""

    history: History
    kinds: NDArray[np.uint8]
    similar_VV: sparse.csr_array
    name: str = "item-kNN (cosine)"

    @classmethod
    def of(
        cls, history: History, kinds: NDArray[np.uint8], taken: Taken, choice: Choice
    ) -> ItemKnn:
        """Similarities of the behaviour before the test."""
        seen = (taken.matrix() > 0).astype(np.float64)
        length_V = np.sqrt(np.asarray(seen.sum(axis=0)).ravel())
        scale = sparse.diags_array(1 / np.maximum(length_V, 1))
        similar = ((seen @ scale).T @ (seen @ scale)).tocsr()
        if not choice.itself:
            similar.setdiag(0)
        return cls(history, kinds, _nearest(similar, choice.neighbours))

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        own = past_counts(self.history, targets, rows, self.kinds)
        own.data[:] = 1
        items = own.shape[1]
        found = own @ self.similar_VV[:items]
        dense: NDArray[np.float32] = found.toarray().astype(np.float32)
        return dense


def _nearest(similar: sparse.csr_array, most: int) -> sparse.csr_array:
    """Each row's ``most`` largest values."""
    row_of = np.repeat(np.arange(similar.shape[0]), np.diff(similar.indptr))
    order = np.lexsort((-similar.data, row_of))
    rank = np.arange(len(order)) - similar.indptr[row_of[order]]
    kept = order[rank < most]
    cells = (row_of[kept], similar.indices[kept])
    return sparse.coo_array((similar.data[kept], cells), shape=similar.shape).tocsr()
