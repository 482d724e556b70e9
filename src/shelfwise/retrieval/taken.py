"""What owners took, in order: what neighbours, transitions and the simple rankers count.

Shape suffixes in this file: U = owners, V = items, E = events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.part_rows import taken_by_owner
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part


class Taken(NamedTuple):
    """Behaviour before the test that counts as a match, sorted by owner, then time."""

    owner_E: NDArray[np.int64]
    item_E: NDArray[np.int64]
    at_E: NDArray[np.int64]  # microseconds
    owners: int
    items: int

    def matrix(self) -> sparse.csr_array:
        """``[U, V]`` how often each owner took each item."""
        counts = sparse.coo_array(
            (np.ones(len(self.item_E)), (self.owner_E, self.item_E)),
            shape=(self.owners, self.items),
        )
        return counts.tocsr()

    def popularity(self) -> NDArray[np.float32]:
        """``[V]`` how often each item was taken, scaled to lie in [0, 1): breaks ties."""
        count_V = np.bincount(self.item_E, minlength=self.items).astype(np.float32)
        share_V: NDArray[np.float32] = count_V / (count_V.max(initial=0) + 1)
        return share_V

    def chosen(self, some_E: NDArray[np.bool_]) -> Taken:
        """Some of it."""
        return self._replace(
            owner_E=self.owner_E[some_E], item_E=self.item_E[some_E], at_E=self.at_E[some_E]
        )

    def newest_once(self) -> Taken:
        """Each item once an owner, where he took it last."""
        key_E = (self.owner_E * self.items + self.item_E)[::-1]
        last_E = len(key_E) - 1 - np.unique(key_E, return_index=True)[1]
        return self.chosen(np.isin(np.arange(len(key_E)), last_E))


def taken_in(prepared: PreparedShop, parts: Sequence[Part], *, doubted: bool = True) -> Taken:
    """Behaviour of ``parts`` that counts as a match, sorted by owner and time.

    ``doubted``: with that of users whom the fraud filter takes for machines.
    """
    rows = taken_by_owner(prepared, parts, doubted=doubted)
    return Taken(
        rows["owner"].to_numpy().astype(np.int64),
        rows["item"].to_numpy().astype(np.int64),
        rows["at"].to_numpy(),
        len(prepared.owners),
        len(prepared.items),
    )


def follows(taken: Taken, reach: int, shrunk: float = 0.0) -> sparse.csr_array:
    """``[V, V]`` chance that an owner who took the first takes the second within ``reach`` steps.

    Pairs count 1 / distance; each row sums to 1 where there are any, or to less by ``shrunk`` pairs
    that nobody took.
    """
    total = sparse.csr_array((taken.items, taken.items))
    for distance in range(1, reach + 1):
        same_E = taken.owner_E[distance:] == taken.owner_E[:-distance]
        pairs = (taken.item_E[:-distance][same_E], taken.item_E[distance:][same_E])
        weight = np.full(len(pairs[0]), 1 / distance)
        total = total + sparse.coo_array((weight, pairs), shape=total.shape).tocsr()
    from_V = np.asarray(total.sum(axis=1)).ravel() + shrunk
    scale = sparse.diags_array(np.divide(1, from_V, out=np.zeros_like(from_V), where=from_V > 0))
    return (scale @ total).tocsr()
