"""An interval that holds at every look, however often one peeks.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021,
arXiv:2103.06476, theorem 2.2): after n units with standard deviation sigma,

    mean -+ sigma * sqrt(2 (n rho^2 + 1) / (n^2 rho^2) * log(sqrt(n rho^2 + 1) / alpha))

holds the truth at all n at once with probability 1 - alpha, asymptotically. ``rho`` chooses at
which n the interval is narrowest; it is fixed before the test.
"""

from __future__ import annotations

from math import log, sqrt

TUNED_FOR = 10_000  # units at which the sequence is narrowest, unless said otherwise


def always_valid_reach(error: float, units: int, tuned_for: int, level: float = 0.95) -> float:
    """Half the width of the sequence after ``units``, where ``error`` is the standard error.

    Of a difference of two arms: ``units`` counts both, and ``error`` is the difference's.
    """
    if units < 2:
        return float("nan")
    alpha = 1 - level
    rho2 = tuning(tuned_for, alpha)
    grown = units * rho2 + 1
    return error * sqrt(units) * sqrt(2 * grown / (units**2 * rho2) * log(sqrt(grown) / alpha))


def tuning(tuned_for: int, alpha: float) -> float:
    """``rho^2`` for the narrowest interval after ``tuned_for`` units (their appendix B.2)."""
    return (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tuned_for
