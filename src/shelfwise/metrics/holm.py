"""Holm's correction for many comparisons (Holm, 1979).

Shape suffixes in this file: M = comparisons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def holm_adjusted(p_M: NDArray[np.floating]) -> NDArray[np.float64]:
    """p-values after which "below .05" errs in one *family* of comparisons out of twenty.

    The smallest of M p-values is multiplied by M, the next by M - 1, and so on; none may come out
    below one that was smaller before, and none above 1. Of twenty comparisons of equal systems one
    has p < .05 by chance: without this, comparing often enough always finds something.

    Args:
        p_M: ``[M]`` nan where a comparison could not be made; such ones do not count.

    Returns:
        ``[M]`` in the order given; nan where nan was given.
    """
    wrong_M = (p_M < 0) | (p_M > 1)
    if wrong_M.any():
        raise ValueError(f"holm_adjusted needs p-values in [0, 1], got {p_M[wrong_M][0]}")
    adjusted_M = np.full(len(p_M), np.nan)
    known = np.flatnonzero(~np.isnan(p_M))
    rising = known[np.argsort(p_M[known], kind="stable")]
    times = np.arange(len(rising), 0, -1)
    adjusted_M[rising] = np.minimum(np.maximum.accumulate(times * p_M[rising]), 1.0)
    return adjusted_M
