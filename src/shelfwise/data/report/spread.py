"""A distribution in few numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the values lie."""

    count: int
    mean: float  # nan where there are no values, as are the others
    p10: float
    median: float
    p90: float
    p99: float
    most: float


def spread(value_N: NDArray[Any]) -> Spread:
    """Mean, quantiles and the greatest of ``[N]`` values."""
    if len(value_N) == 0:
        return Spread(0, nan, nan, nan, nan, nan, nan)
    p10, median, p90, p99 = (float(q) for q in np.quantile(value_N, [0.1, 0.5, 0.9, 0.99]))
    return Spread(len(value_N), float(value_N.mean()), p10, median, p90, p99, float(value_N.max()))


def histogram(value_N: NDArray[Any], edges: tuple[float, ...]) -> tuple[int, ...]:
    """Values in ``[edge, next edge)``; the last bin has no upper end."""
    place_N = np.searchsorted(np.array(edges), value_N, side="right") - 1
    return tuple(np.bincount(place_N[place_N >= 0], minlength=len(edges)).tolist())
