"""Figures of requests put together by who asked.

Shape suffixes in this file: T = targets, U = owners.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.targets import MatchTargets
from shelfwise.metrics.value import ratio


def per_owner(value_T: NDArray[np.float64], targets: MatchTargets) -> NDArray[np.float64]:
    """Mean over each owner's targets: an owner, not a request, is what is drawn again."""
    known_T = ~np.isnan(value_T)
    _, owner_T = np.unique(targets.owner_T, return_inverse=True)
    total = np.bincount(owner_T[known_T], value_T[known_T], minlength=owner_T.max() + 1)
    count = np.bincount(owner_T[known_T], minlength=owner_T.max() + 1)
    return ratio(total, count)
