"""A ratio of two sums over units, with the error that the delta method gives it.

A click rate is clicks over impressions, and an arm is drawn by user: impressions of one user are
no independent observations, and their number is random as well. To first order

    R = sum(y) / sum(x),    R - truth = mean((y_u - R x_u) / mean(x))    (Deng et al., 2018)

so the spread of that term over units is the ratio's, and a mean is the case ``x = 1``.

Shape suffixes in this package: U = units (users, or visits), M = metrics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Ratio(NamedTuple):
    """A ratio, and what each unit adds to its error."""

    value: float  # nan where nothing stands below the line
    influence_U: Floats

    @property
    def error(self) -> float:
        """Standard error; nan with fewer than two units."""
        units = len(self.influence_U)
        if units < 2:
            return float("nan")
        return float(np.sqrt((self.influence_U**2).sum() / (units - 1) / units))


def ratio_of_sums(above_U: Floats, below_U: Floats) -> Ratio:
    """``sum(above) / sum(below)``, each a unit's sum."""
    total = float(below_U.sum())
    if total <= 0:
        return Ratio(float("nan"), np.full(len(above_U), np.nan))
    value = float(above_U.sum()) / total
    return Ratio(value, (above_U - value * below_U) * (len(below_U) / total))
