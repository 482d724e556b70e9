"""How long after a click its purchase comes, and what share of purchases a window catches.

Four of five purchases are made at once: lognormal, middle 45 minutes, log-spread 2.4. One of five
is slept on: exponential with a mean of 4 days. Both are cut (not clipped) to between a minute and
a half and fourteen days.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from shelfwise.data.sample_shop.catalogue import Ints

LONGEST_DAYS = 14

_DAY_MS = 86_400_000
_SHORTEST_MS, _LONGEST_MS = 90_000.0, float(LONGEST_DAYS * _DAY_MS)
_SLOW_SHARE, _SLOW_MEAN_MS = 0.2, 4.0 * _DAY_MS
_FAST_MIDDLE_MS, _FAST_SPREAD = 45 * 60_000.0, 2.4


def draw_delays(count: int, rng: np.random.Generator) -> Ints:
    """Milliseconds from click to purchase, by inversion of the cut distributions."""
    slow_N = rng.random(count) < _SLOW_SHARE
    place_N = rng.random(count)
    low, high = _fast(_SHORTEST_MS), _fast(_LONGEST_MS)
    fast_N = _FAST_MIDDLE_MS * np.exp(_FAST_SPREAD * ndtri(low + place_N * (high - low)))
    low, high = _slow(_SHORTEST_MS), _slow(_LONGEST_MS)
    sleepy_N = -_SLOW_MEAN_MS * np.log1p(-(low + place_N * (high - low)))
    return np.where(slow_N, sleepy_N, fast_N).astype(np.int64)


def share_within(days: float) -> float:
    """Share of all purchases that come within ``days`` of their click."""
    moment = min(max(days * _DAY_MS, _SHORTEST_MS), _LONGEST_MS)
    fast = _between(_fast(_SHORTEST_MS), _fast(moment), _fast(_LONGEST_MS))
    slow = _between(_slow(_SHORTEST_MS), _slow(moment), _slow(_LONGEST_MS))
    return (1 - _SLOW_SHARE) * fast + _SLOW_SHARE * slow


def _between(low: float, value: float, high: float) -> float:
    return (value - low) / (high - low)


def _fast(moment_ms: float) -> float:
    return float(ndtr(np.log(moment_ms / _FAST_MIDDLE_MS) / _FAST_SPREAD))


def _slow(moment_ms: float) -> float:
    return float(-np.expm1(-moment_ms / _SLOW_MEAN_MS))
