"""How unlike each other the items of one list are (Ziegler et al., 2005; Smyth and McClave, 2001).

Shape suffixes in this file: T = lists; K = places; V = items; D = width of vectors; B = lists of
a block.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.lists import NOBODY, require_lists

_BLOCK_CELLS = 4_000_000


def diversity(top_TK: NDArray[np.integer], vector_VD: NDArray[np.floating]) -> NDArray[np.float64]:
    """1 minus the mean cosine over all pairs of the list's items (intra-list diversity).

    0 for a list of one thing over and over, 1 for items that have nothing in common, up to 2.
    It is only as good as the vectors: measure all systems by the same ones. With unit
    vectors v of n items the mean is ``(|sum v|^2 - n) / (n (n - 1))``, so no pair is formed.

    Args:
        top_TK: ``[T, K]`` items shown; -1 is an empty place.
        vector_VD: ``[V, D]`` item vectors of any length; an item of length 0 is like no other.

    Returns:
        ``[T]``; nan for lists of fewer than two items.
    """
    require_lists("diversity", top_TK, len(vector_VD))
    length_V = np.sqrt(np.einsum("vd,vd->v", vector_VD, vector_VD, dtype=np.float64))
    unit_VD = vector_VD / np.maximum(length_V, np.finfo(np.float32).tiny)[:, None]
    own_V = (length_V > 0).astype(np.float64)  # |v|^2 after scaling
    found_T = np.full(len(top_TK), np.nan)
    step = max(1, _BLOCK_CELLS // max(1, top_TK.shape[1] * vector_VD.shape[1]))
    for start in range(0, len(top_TK), step):
        rows = slice(start, start + step)
        filled_BK = top_TK[rows] != NOBODY
        total_BD = np.where(filled_BK[..., None], unit_VD[top_TK[rows]], 0.0).sum(axis=1)
        own_B = np.where(filled_BK, own_V[top_TK[rows]], 0.0).sum(axis=1)
        count_B = filled_BK.sum(axis=1)
        cosine_B = np.einsum("bd,bd->b", total_BD, total_BD) - own_B
        pairs_B = count_B * (count_B - 1)
        mean_B = np.divide(cosine_B, pairs_B, out=np.full(len(pairs_B), np.nan), where=pairs_B > 0)
        # No mean of cosines is above 1, but for the last bit.
        found_T[rows] = (1 - mean_B).clip(0)
    return found_T
