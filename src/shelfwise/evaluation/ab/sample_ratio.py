"""Whether units came to the arms in the planned shares (Fabijan et al., 2019).

A test whose arms hold other shares than planned has lost units on the way, seldom by chance and
seldom the same kind in each arm: its differences are not to be read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

MISMATCH = 0.001  # p-value below which shares are called wrong


def sample_ratio_p(units: Sequence[int], shares: Sequence[float]) -> float:
    """p-value of Pearson's chi-square: as uneven by chance, were ``shares`` right.

    nan where there are no units or one arm.
    """
    if len(units) != len(shares) or any(share <= 0 for share in shares):
        raise ValueError(f"needs one share above 0 per arm, got {shares} for {len(units)} arms")
    total = sum(units)
    if total == 0 or len(units) < 2:
        return float("nan")
    expected = np.array(shares) / sum(shares) * total
    return float(stats.chisquare(np.array(units), expected).pvalue)
