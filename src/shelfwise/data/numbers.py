"""Numbers of any unit on one scale, so that a few wild values do not decide what is usual.

Median and median absolute deviation stand in for mean and standard deviation (Hampel, 1974): half
of the values can be nonsense without moving them far. Where the values lean to one side, as prices
do, their logarithms are measured instead.

A scale is fitted on the training period alone and then used for every period; the caller passes
the values of that period.

Shape suffixes in this file: N = values.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_MEAN_TO_SIGMA = 1.2533  # its mean absolute deviation to its standard deviation
_WIDEST = 5.0  # spreads from the centre; what lies beyond says no more than "far"
_LEANS = 0.1  # octile skewness from which a logarithm is tried


class Scale(NamedTuple):
    """Where the usual values lie (``center``) and how far apart (``spread``, never 0)."""

    form: Literal["plain", "log"]  # "log": center and spread are of log(1 + value)
    center: float
    spread: float


def fit_scale(value_N: NDArray[np.floating[Any]]) -> Scale:
    """The scale of the values that are known (not nan).

    Logarithms are taken where no value is negative, the values lean to the right (octile skewness
    above .1; Hinkley, 1975) and their logarithms lean less. Where more than half of the values are
    the same, so that their median deviation is 0, the mean deviation stands in for it.
    """
    known = value_N[~np.isnan(value_N)].astype(np.float64)
    if len(known) == 0:
        return Scale("plain", 0.0, 1.0)
    if known.min() >= 0:
        logs, lean = np.log1p(known), octile_skewness(known)
        if lean > _LEANS and abs(octile_skewness(logs)) < lean:
            return Scale("log", *_center_and_spread(logs))
    return Scale("plain", *_center_and_spread(known))


def standardise(value_N: NDArray[np.floating[Any]], scale: Scale) -> NDArray[np.float64]:
    """``[N]`` spreads from the centre, within +-5; nan stays nan.

    On a log scale a value below 0, which its fitting cannot have met, counts as 0.
    """
    known_N = value_N.astype(np.float64)
    if scale.form == "log":
        known_N = np.log1p(np.maximum(known_N, 0.0))
    return ((known_N - scale.center) / scale.spread).clip(-_WIDEST, _WIDEST)


def octile_skewness(value_N: NDArray[np.floating[Any]]) -> float:
    """How much further the upper eighth lies from the median than the lower, between -1 and 1."""
    low, middle, high = np.quantile(value_N, [1 / 8, 1 / 2, 7 / 8])
    return float((high + low - 2 * middle) / (high - low)) if high > low else 0.0


def _center_and_spread(value_N: NDArray[np.float64]) -> tuple[float, float]:
    center = float(np.median(value_N))
    away_N = np.abs(value_N - center)
    spread = float(np.median(away_N)) * _MAD_TO_SIGMA or float(away_N.mean()) * _MEAN_TO_SIGMA
    return center, spread or 1.0
