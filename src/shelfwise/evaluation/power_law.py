"""A learning curve as a power law, and what more data would bring by it.

The error of a learner falls with the size of its training set much like ``a + b n^-c`` (Hestness et
al., 2017, arXiv:1712.00409; Viering and Loog, 2021, arXiv:2103.10948). A fit through few points
says little far beyond them, so the answer is an interval, and it asks for twice the data only.

Shape suffixes in this file: P = points, C = exponents tried, D = draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_EXPONENTS = np.geomspace(0.05, 2.0, 60)
FEWEST_SIZES = 3  # different sizes; fewer do not tell a curve from a line


@dataclass(frozen=True, slots=True)
class Point:
    """One training's figure."""

    requests: int  # learned from
    seed: int
    value: float
    low: float
    high: float


class PowerLaw(NamedTuple):
    """``limit + scale * n ** -exponent``; the scale is negative where more is better."""

    limit: float
    scale: float
    exponent: float

    def at(self, size: float) -> float:
        """The figure expected of a training set of ``size``."""
        return self.limit + self.scale * float(size**-self.exponent)


class Doubling(NamedTuple):
    """What twice the largest training set would bring, as a difference of the figure."""

    gain: float  # nan where there are too few points
    low: float  # 95 % interval: the points drawn again within their own intervals
    high: float


def fit_power_law(
    size_P: NDArray[np.floating],
    value_P: NDArray[np.floating],
    error_P: NDArray[np.floating],
    *,
    rising: bool,
) -> PowerLaw | None:
    """The curve of least weighted squares; None where the points are of too few sizes.

    For each exponent the rest is linear, so the best of a grid of exponents is the best there is.

    Args:
        size_P: training requests.
        value_P: the figure reached with them.
        error_P: standard error of each figure.
        rising: whether more data can only raise the figure (AUC) or only lower it (log loss).
    """
    known_P = ~np.isnan(value_P)
    size_P, value_P, error_P = size_P[known_P], value_P[known_P], error_P[known_P]
    if len(np.unique(size_P)) < FEWEST_SIZES:
        return None
    # Where no error is known, all points count alike.
    usable = np.isfinite(error_P) & (error_P > 0)
    weight_P = 1 / error_P**2 if usable.all() else np.ones(len(size_P))
    unit = float(size_P.max())  # so that the powers are of the size of 1
    power_CP = (size_P / unit)[None] ** -_EXPONENTS[:, None]
    mean = float(np.average(value_P, weights=weight_P))
    power_C = np.average(power_CP, axis=1, weights=weight_P)
    centred_CP = power_CP - power_C[:, None]
    slope_C = (centred_CP @ (weight_P * (value_P - mean))) / (centred_CP**2 @ weight_P)
    slope_C = np.minimum(slope_C, 0) if rising else np.maximum(slope_C, 0)
    left_CP = value_P - mean - slope_C[:, None] * centred_CP
    best = int(np.argmin(left_CP**2 @ weight_P))
    exponent, slope = float(_EXPONENTS[best]), float(slope_C[best])
    return PowerLaw(mean - slope * float(power_C[best]), slope * unit**exponent, exponent)


def doubling(
    size_P: NDArray[np.floating],
    value_P: NDArray[np.floating],
    error_P: NDArray[np.floating],
    *,
    rising: bool,
    seed: int,
    draws: int = 500,
) -> Doubling:
    """What twice the largest training set would bring, and how sure that is.

    Where a point does not say how sure it is, neither does the answer: its interval is nan.
    """
    known_P = ~np.isnan(value_P)
    size_P, value_P, error_P = size_P[known_P], value_P[known_P], error_P[known_P]
    most = float(size_P.max(initial=1))

    def gain(values: NDArray[np.floating]) -> float:
        law = fit_power_law(size_P, values, error_P, rising=rising)
        return float("nan") if law is None else law.at(2 * most) - law.at(most)

    found = gain(value_P)
    if np.isnan(found) or not np.isfinite(error_P).all() or not (error_P > 0).any():
        return Doubling(found, float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    gain_D = [gain(value_P + error_P * rng.standard_normal(len(value_P))) for _ in range(draws)]
    low, high = np.quantile(gain_D, [0.025, 0.975])
    return Doubling(found, float(low), float(high))
