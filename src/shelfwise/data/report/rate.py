"""A share with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

_Z = 1.959963984540054  # of a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class Rate:
    """``hits`` out of ``of``, and the range that other such rows would give."""

    hits: int
    of: int
    value: float  # nan where ``of`` is 0, and so are the ends
    low: float
    high: float


def rate(hits: int, of: int) -> Rate:
    """A share with its 95 % interval (Wilson, 1927), which holds for small counts too.

    It takes rows as independent; those of one shopper resemble each other, so that the true
    range is somewhat wider.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"a share needs 0 <= hits <= of, got {hits} of {of}")
    if of == 0:
        return Rate(0, 0, nan, nan, nan)
    share = hits / of
    divisor = 1 + _Z**2 / of
    middle = (share + _Z**2 / (2 * of)) / divisor
    half = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2)) / divisor
    # At the very ends rounding would leave a hair.
    low = 0.0 if hits == 0 else middle - half
    return Rate(hits, of, share, low, 1.0 if hits == of else middle + half)
