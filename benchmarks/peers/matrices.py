"""A log and histories as sparse matrices of counts, for libraries that learn from these.

Run by a peer's own interpreter: needs numpy and scipy, no Shelfwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from exchange import Histories, Integers, Log, Scores
from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Owners:
    """Rows of the owners that a model has learned."""

    ids: Integers  # sorted

    def rows(self, owner_T: Integers) -> tuple[Integers, Any]:
        """Each owner's row, and whether there is one; the row of an unknown owner means nothing."""
        row_T = np.searchsorted(self.ids, owner_T).clip(max=len(self.ids) - 1)
        return row_T, self.ids[row_T] == owner_T

    def scores(self, owner_T: Integers, factors: Any, item_factors: Any) -> Scores:
        """``[T, V]`` products of factors; -inf for an owner of whom nothing was learned."""
        row_T, known_T = self.rows(owner_T)
        scores_TV = np.full((len(owner_T), len(item_factors)), -np.inf, np.float32)
        scores_TV[known_T] = factors[row_T[known_T]] @ item_factors.T
        return scores_TV


def owners_of(log: Log) -> Owners:
    """All who took something."""
    return Owners(np.unique(log.owner_N))


def counts_of_log(log: Log, owners: Owners, items: int) -> csr_matrix:
    """``[owners, V]`` how often each owner took each item."""
    row_N, _ = owners.rows(log.owner_N)
    return _counts(row_N, log.item_N, (len(owners.ids), items))


def counts_of(histories: Histories, items: int) -> csr_matrix:
    """``[T, V]`` how often each item is in each history."""
    return _counts(*histories.pairs(), (len(histories), items))


def _counts(row_N: Integers, item_N: Integers, shape: tuple[int, int]) -> csr_matrix:
    # Of one entry twice, scipy makes the sum.
    return csr_matrix((np.ones(len(item_N), np.float32), (row_N, item_N)), shape=shape)
