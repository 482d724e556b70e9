"""EASE: each item explained by the others of the same owner, in closed form (Steck, 2019).

``B`` minimises ``|X - XB|^2 + regularisation |B|^2`` with a zero diagonal, for an owner-item matrix
``X``: with ``P = (X'X + regularisation I)^-1``, ``B = I - P diag(1 / diag P)`` (arXiv:1905.03375).
One dense ``[V, V]`` matrix in float32 is in memory: 4 V^2 bytes, 1.6 GB for 20,000 items.

Shape suffixes in this file: V = items, U = owners.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

_BLOCK = 1_024  # items at a time


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
