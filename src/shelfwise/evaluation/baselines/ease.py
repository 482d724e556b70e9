"""EASE: each item explained by the others of the same owner, in closed form (Steck, 2019).

``B`` minimises ``|X - XB|^2 + regularisation |B|^2`` with a zero diagonal, for the binary
owner-item matrix ``X``: with ``P = (X'X + regularisation I)^-1``, ``B = I - P diag(1 / diag P)``
(arXiv:1905.03375). One dense ``[V, V]`` matrix in float32 is in memory: 4 V^2 bytes, 1.6 GB for
20,000 items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.past import past_counts, past_items
from shelfwise.evaluation.baselines.role import Family, Learned

_BLOCK = 1_024  # items at a time
MOST_ITEMS = 20_000  # time grows with the third power, memory with the second
_MANY = 6_000  # items; above them fewer settings are tried


class Ridge(NamedTuple):
    """How strongly weights are held near 0, and what ``X`` holds."""

    regularisation: float
    counted: bool  # log(1 + times taken), in the history as well; else whether it was taken


SETTINGS = tuple(
    Ridge(strength, counted)
    for counted, strengths in ((False, (200, 50, 500, 1_000)), (True, (50, 200)))
    for strength in strengths
)
FEW_SETTINGS = (Ridge(200, False), Ridge(500, False))


@dataclass(frozen=True, slots=True)
class Ease:
    """Sum of the weights from the items of the shopper's own history."""

    learned: Learned
    weight_VV: NDArray[np.float32]
    counted: bool
    popularity_V: NDArray[np.float32]

    @classmethod
    def of(cls, learned: Learned, setting: Ridge) -> Ease:
        """Solve for the weights."""
        taken_UV = learned.taken.matrix()
        taken_UV.data = _strength(taken_UV.data, setting.counted)
        weight_VV = ease_weights(taken_UV, setting.regularisation)
        return cls(learned, weight_VV, setting.counted, learned.taken.popularity())

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        past = past_items(self.learned.history, targets, rows, self.learned.kinds)
        own_BV = past_counts(past, len(self.popularity_V))
        own_BV.data = _strength(own_BV.data, self.counted)
        found: NDArray[np.float32] = own_BV @ self.weight_VV
        nobody_B = np.diff(own_BV.indptr) == 0
        found[nobody_B] = self.popularity_V
        return found


def _strength(count_E: NDArray[np.floating], counted: bool) -> NDArray[np.float32]:
    """What each count of at least 1 says."""
    return (np.log1p(count_E) if counted else np.ones(len(count_E))).astype(np.float32)


def ease_weights(taken_UV: sparse.csr_array, regularisation: float) -> NDArray[np.float32]:
    """``[V, V]`` weights of one item for another, 0 on the diagonal."""
    weight_VV = _symmetric_inverse(_gram(taken_UV, regularisation))
    weight_VV /= -weight_VV.diagonal()[None, :].copy()
    np.fill_diagonal(weight_VV, 0)
    return weight_VV


def _gram(taken_UV: sparse.csr_array, regularisation: float) -> NDArray[np.float32]:
    """``X'X + regularisation I``, a block of columns at a time: a sparse one may take more room."""
    items = taken_UV.shape[1]
    by_item = taken_UV.tocsc()
    gram_VV = np.zeros((items, items), np.float32, order="F")
    for start in range(0, items, _BLOCK):
        block = slice(start, start + _BLOCK)
        gram_VV[:, block] = (by_item.T @ by_item[:, block]).toarray()
    gram_VV.reshape(-1, order="F")[:: items + 1] += regularisation
    return gram_VV


def _symmetric_inverse(matrix_VV: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inverse of a symmetric positive matrix in its own place, by Cholesky's factors."""
    if len(matrix_VV) == 0:
        return matrix_VV
    factor_VV, failed = lapack.spotrf(matrix_VV, lower=1, overwrite_a=1)
    assert failed == 0, "a sum of squares plus a positive diagonal"
    inverse_VV, failed = lapack.spotri(factor_VV, lower=1, overwrite_c=1)
    assert failed == 0
    for start in range(0, len(inverse_VV), _BLOCK):  # only the lower triangle was written
        stop = start + _BLOCK
        corner = np.tril(inverse_VV[start:stop, start:stop])
        inverse_VV[start:stop, start:stop] = corner + np.tril(corner, -1).T
        inverse_VV[start:stop, stop:] = inverse_VV[stop:, start:stop].T
    rows_first: NDArray[np.float32] = inverse_VV.T  # the same by symmetry; products need rows
    return rows_first


def ease(items: int) -> Family[Ridge]:
    """Closed-form linear autoencoder; not for catalogues above `MOST_ITEMS`."""

    def fit(learned: Learned, settings: Sequence[Ridge]) -> Iterator[Ease]:
        for setting in settings:
            yield Ease.of(learned, setting)

    return Family("EASE", SETTINGS if items <= _MANY else FEW_SETTINGS, fit)
