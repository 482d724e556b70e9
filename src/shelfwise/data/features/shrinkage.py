"""Rates that are not fooled by small numbers: one click of one view is no rate of 100 %.

Each rate is drawn to the mean of all, the more the less is known of it: empirical Bayes under the
beta-binomial, whose prior is fitted to the training period by moments (Kleinman, 1973).

Shape suffixes in this file: K = users, items, categories or queries; N = rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_WEAKEST, _STRONGEST = 1.0, 10_000.0  # trials that a prior counts as
_DIGITS = 9  # the last bits of a sum differ between machines, and rates are to be the same


class Prior(NamedTuple):
    """What is believed of a rate before anything was tried; nan: the log cannot tell the rate."""

    mean: float
    strength: float  # trials that the belief counts as


UNTOLD = Prior(float("nan"), float("nan"))


def fit_prior(hit_K: NDArray[np.integer[Any]], tried_K: NDArray[np.integer[Any]]) -> Prior:
    """Mean and strength of a beta prior from how far the rates of many lie apart.

    With ``m`` the mean of all trials, ``n`` the trials of each and ``N`` their sum, the squared
    distances ``S = sum n (x/n - m)^2`` are expected to be
    ``m (1 - m) ((K - 1) + rho sum (1 - n/N)(n - 1))``, which gives the correlation ``rho`` of two
    trials of one, and the strength ``1/rho - 1``. Where the rates lie no further apart than chance
    alone would have it, or there is but one, the prior is the strongest there is.

    A rate of which only one outcome was seen (no click at all, say) is not told by the log.
    """
    known_K = tried_K > 0
    n_K, x_K = tried_K[known_K].astype(np.float64), hit_K[known_K].astype(np.float64)
    total = float(n_K.sum())
    mean = float(x_K.sum()) / total if total else float("nan")
    if not 0 < mean < 1:
        return UNTOLD
    apart = float((n_K * (x_K / n_K - mean) ** 2).sum()) / (mean * (1 - mean))
    room = float(((1 - n_K / total) * (n_K - 1)).sum())
    rho = (apart - (len(n_K) - 1)) / room if room > 0 else 0.0
    strength = 1 / rho - 1 if rho > 0 else _STRONGEST
    return Prior(_short(mean), _short(min(max(strength, _WEAKEST), _STRONGEST)))


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def shrunk(
    hit_N: NDArray[np.float32], tried_N: NDArray[np.float32], prior: Prior
) -> NDArray[np.float32]:
    """``[N]`` (hits + strength * mean) / (trials + strength); nan where the log tells nothing."""
    rate_N: NDArray[np.float32] = (hit_N + np.float32(prior.strength * prior.mean)) / (
        tried_N + np.float32(prior.strength)
    )
    return rate_N
