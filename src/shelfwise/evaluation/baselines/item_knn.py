"""Item-kNN: items taken by the same owners as the shopper's own (Sarwar et al., 2001).

An owner-item matrix is weighted, by the cosine's lengths or as BM25 weighs words (as
`implicit` does: items are the documents and owners the words), and columns that look alike are
neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.past import past_counts, past_items
from shelfwise.evaluation.baselines.role import Family, Learned
from shelfwise.evaluation.baselines.ties import rest_by_popularity

_BLOCK = 1_024  # items whose neighbours are sought together
_MOST_CELLS = 50_000_000  # neighbours of all items together


class Cosine(NamedTuple):
    """Similarity of the sets of owners."""

    neighbours: int  # items kept for each item
    itself: bool  # whether an item is its own nearest neighbour, so that repeats rank high


class Bm25(NamedTuple):
    """Similarity of BM25-weighted columns; counts, not sets."""

    neighbours: int
    itself: bool
    k1: float  # how soon more of the same counts no more
    b: float  # how much popular items are held back


COSINE = tuple(
    Cosine(neighbours, itself) for neighbours in (20, 100, 500) for itself in (False, True)
)
_WEIGHTS = {(1.2, 0.75): (100, 20, 500), (1.2, 0.2): (20,), (100, 0.2): (20, 500)}
BM25 = tuple(
    Bm25(neighbours, itself, k1, b)
    for (k1, b), sizes in _WEIGHTS.items()
    for neighbours in sizes
    for itself in (False, True)
)


@dataclass(frozen=True, slots=True)
class ItemKnn:
    """Sum of the similarities to the items of the shopper's own history."""

    learned: Learned
    similar_VV: sparse.csr_array
    counted: bool  # whether an item taken twice counts twice
    popularity_V: NDArray[np.float32]

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        past = past_items(self.learned.history, targets, rows, self.learned.kinds)
        own_BV = past_counts(past, len(self.popularity_V))
        if not self.counted:
            own_BV.data[:] = 1
        found_BV = (own_BV @ self.similar_VV).toarray().astype(np.float32)
        return rest_by_popularity(found_BV, self.popularity_V)


def by_cosine() -> Family[Cosine]:
    """Neighbours by the cosine of binary columns."""

    def fit(learned: Learned, settings: Sequence[Cosine]) -> Iterator[ItemKnn]:
        seen = (learned.taken.matrix() > 0).astype(np.float32)
        length_V = np.sqrt(np.asarray(seen.sum(axis=0)).ravel())
        weighted = (seen @ sparse.diags_array(1 / np.maximum(length_V, 1))).tocsc()
        neighbours = Neighbours.of(weighted, max(setting.neighbours for setting in settings))
        for setting in settings:
            similar = neighbours.nearest(setting.neighbours, itself=setting.itself)
            yield ItemKnn(learned, similar, False, learned.taken.popularity())

    return Family("item-kNN (cosine)", COSINE, fit)


def by_bm25() -> Family[Bm25]:
    """Neighbours by the product of BM25-weighted columns, as `implicit`'s BM25Recommender."""

    def fit(learned: Learned, settings: Sequence[Bm25]) -> Iterator[ItemKnn]:
        most = max(setting.neighbours for setting in settings)
        found: dict[tuple[float, float], Neighbours] = {}
        for setting in settings:
            key = (setting.k1, setting.b)
            if key not in found:
                found = {key: Neighbours.of(bm25_weights(learned.taken.matrix(), *key), most)}
            similar = found[key].nearest(setting.neighbours, itself=setting.itself)
            yield ItemKnn(learned, similar, True, learned.taken.popularity())

    return Family("item-kNN (BM25)", BM25, fit)


def bm25_weights(count_UV: sparse.csr_array, k1: float, b: float) -> sparse.csc_array:
    """``[U, V]`` counts as BM25 weighs them: items are documents, owners are words.

    An owner who takes everything says little (idf); of an item that everybody takes, each single
    owner says little (length).
    """
    cells = count_UV.tocoo()
    owner_E, item_E = cells.coords
    owners, items = count_UV.shape
    idf_U = np.log(max(items, 1) / (1 + np.bincount(owner_E, minlength=owners)))
    length_V = np.bincount(item_E, cells.data, minlength=items)
    norm_V = 1 - b + b * length_V / max(length_V.mean(), 1e-9) if items else length_V
    weight_E = cells.data * (k1 + 1) / (k1 * norm_V[item_E] + cells.data) * idf_U[owner_E]
    weighted = sparse.coo_array((weight_E.astype(np.float32), cells.coords), shape=cells.shape)
    return weighted.tocsc()


class Neighbours(NamedTuple):
    """Each item's most similar items, itself among them, the most similar first."""

    item_E: NDArray[np.int64]
    near_E: NDArray[np.int64]
    similar_E: NDArray[np.float32]
    place_E: NDArray[np.int64]  # 0: the nearest other item; -1: the item itself
    items: int

    @classmethod
    def of(cls, weighted_UV: sparse.csc_array, most: int) -> Neighbours:
        """The ``most`` nearest by the product of columns; fewer where there are very many items."""
        items = weighted_UV.shape[1]
        most = min(most, max(20, _MOST_CELLS // max(items, 1)))
        rows_VU = weighted_UV.T.tocsr()
        found = [
            _block(rows_VU[start : start + _BLOCK] @ weighted_UV, start, most)
            for start in range(0, items, _BLOCK)
        ]
        return cls(
            np.concatenate([np.empty(0, np.int64), *(item_E for item_E, _, _, _ in found)]),
            np.concatenate([np.empty(0, np.int64), *(near_E for _, near_E, _, _ in found)]),
            np.concatenate([np.empty(0, np.float32), *(value_E for _, _, value_E, _ in found)]),
            np.concatenate([np.empty(0, np.int64), *(place_E for _, _, _, place_E in found)]),
            items,
        )

    def nearest(self, most: int, *, itself: bool) -> sparse.csr_array:
        """``[V, V]`` similarities to the ``most`` nearest, with an item itself as one of them."""
        kept_E = (self.place_E < most - itself) & (itself | (self.place_E >= 0))
        cells = (self.item_E[kept_E], self.near_E[kept_E])
        shape = (self.items, self.items)
        return sparse.coo_array((self.similar_E[kept_E], cells), shape=shape).tocsr()


def _block(
    similar_BV: sparse.csr_array, start: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Item, neighbour, similarity and place of what is kept of the rows from ``start`` on."""
    similar_BV = similar_BV.tocsr()
    similar_BV.sort_indices()  # of equally similar items the first in the catalogue
    row_E = np.repeat(np.arange(similar_BV.shape[0]), np.diff(similar_BV.indptr))
    near_E = similar_BV.indices.astype(np.int64)
    itself_E = near_E == row_E + start
    rank_value_E = np.where(itself_E, -np.inf, -similar_BV.data)
    order = np.lexsort((rank_value_E, row_E))
    has_itself_B = np.bincount(row_E[itself_E], minlength=similar_BV.shape[0])
    place_E = np.arange(len(order)) - similar_BV.indptr[row_E[order]] - has_itself_B[row_E[order]]
    kept = order[place_E < most]
    return row_E[kept] + start, near_E[kept], similar_BV.data[kept], place_E[place_E < most]
