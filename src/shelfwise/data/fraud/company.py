"""How well the things that somebody took go together, by what everybody else takes together.

Shape suffixes: N = takings in order of owner, U = owners with equally many looked at, K = items of
each, P = pairs of items that somebody took, V = items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_ITEMS = 60  # of an owner, of which every two are looked up
_CAP = 2.0  # of the logarithm of a lift
_OWNERS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Together:
    """How often every two items are taken by one owner."""

    key_P: Ints  # first item * V + second, rising; the first is the smaller
    weight_P: Floats  # owners, each counting 1 / (their items - 1)
    takers_V: Ints
    takings: int
    floor: float  # added to both sides of a lift

    @classmethod
    def of(cls, owner_N: Ints, item_N: Ints, items: int) -> Together:
        """From everybody's takings, each owner's next to each other."""
        keys, weights = [np.zeros(0, np.int64)], [np.zeros(0)]
        for _, item_UK in _of_one_size(owner_N, item_N):
            found = _keys(item_UK, items).ravel()
            keys.append(found)
            weights.append(np.full(len(found), 1 / (item_UK.shape[1] - 1)))
        key_P, pair = np.unique(np.concatenate(keys), return_inverse=True)
        weight_P = np.zeros(len(key_P))
        np.add.at(weight_P, pair, np.concatenate(weights))
        owners = max(1, len(np.unique(owner_N)))
        takers_V = np.bincount(item_N, minlength=items)
        return cls(key_P, weight_P, takers_V, len(item_N), owners / max(1, len(item_N)))

    def company(self, owner_N: Ints, item_N: Ints, own: bool) -> tuple[Ints, Floats]:
        """Owners with two items or more, and how well theirs go together.

        For each item the mean logarithm of its lift with the owner's others, then the median over
        items: things that are pushed go together, and are few beside those that hide them.

        Args:
            owner_N: each owner's takings next to each other.
            item_N: items.
            own: whether these very takings are among those counted; they are then left out.
        """
        owners, found = [np.zeros(0, np.int64)], [np.zeros(0)]
        for owner_U, item_UK in _of_one_size(owner_N, item_N):
            owners.append(owner_U)
            found.append(self._median_lift(item_UK, int(own)))
        return np.concatenate(owners), np.concatenate(found)

    def _median_lift(self, item_UK: Ints, own: int) -> Floats:
        count = item_UK.shape[1]
        first, second = np.triu_indices(count, 1)
        key = _keys(item_UK, len(self.takers_V))
        place = np.searchsorted(self.key_P, key).clip(max=max(0, len(self.key_P) - 1))
        met = np.zeros(key.shape)
        if len(self.key_P):
            met = np.where(self.key_P[place] == key, self.weight_P[place], 0.0)
        met = (met - own / (count - 1)).clip(min=0)
        others_UK = (self.takers_V[item_UK] - own).clip(min=0)
        expected = others_UK[:, first] * others_UK[:, second] / max(1, self.takings)
        lift = np.log((met + self.floor) / (expected + self.floor)).clip(-_CAP, _CAP)
        lift_UKK = np.zeros((*item_UK.shape, count))
        lift_UKK[:, first, second] = lift_UKK[:, second, first] = lift
        median: Floats = np.median(lift_UKK.sum(2) / (count - 1), axis=1)
        return median


def _of_one_size(owner_N: Ints, item_N: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Owners with equally many items, and these ``[U, K]``, rising; at most `MOST_ITEMS` of each.

    Of those with more some are drawn, the same ones whatever else is in the log.
    """
    drawn = np.lexsort((mixed(owner_N * 1_000_003 + item_N), owner_N))
    owner_N, item_N = owner_N[drawn], item_N[drawn]
    owner, start, count = np.unique(owner_N, return_index=True, return_counts=True)
    looked_at = count.clip(max=MOST_ITEMS)
    for size in np.unique(looked_at[looked_at > 1]):
        chosen = np.flatnonzero(looked_at == size)
        for at in range(0, len(chosen), _OWNERS_AT_ONCE):
            block = chosen[at : at + _OWNERS_AT_ONCE]
            yield owner[block], np.sort(item_N[start[block][:, None] + np.arange(size)], axis=1)


def mixed(number_N: Ints) -> NDArray[np.uint64]:
    """Numbers in an order that has nothing to do with theirs (the last step of splitmix64)."""
    bits = number_N.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def _keys(item_UK: Ints, items: int) -> Ints:
    """``[U, K * (K - 1) / 2]`` a number for every two items."""
    first, second = np.triu_indices(item_UK.shape[1], 1)
    return item_UK[:, first] * items + item_UK[:, second]
