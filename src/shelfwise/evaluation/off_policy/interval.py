"""The 95 % interval of an estimate whose rows' influences are known.

Rows of a unit are summed first. Where few rewards carry large weights the sum is skewed, and
``value +- 1.96 * error`` ends too low on the side of the truth. So Student's t replaces the normal
law, with as many degrees of freedom as the spread is known with (Satterthwaite, from the fourth
moment), and Hall's (1992) monotone transformation takes out the skewness. 200 logs of the sample
shop drawn again say how often it holds (benchmarks, `off_policy`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from shelfwise.evaluation.off_policy.logged import Floats, Linear
from shelfwise.metrics.bootstrap import Interval

_FEWEST_FREE = 3.0


def unit_sums(estimate: Linear, unit_N: NDArray[np.int64]) -> Floats:
    """``[U]`` what each unit adds to ``estimate - truth``."""
    _, unit_N = np.unique(unit_N, return_inverse=True)
    return np.bincount(unit_N, estimate.influence_N) / len(unit_N)


def interval_of(estimate: Linear, unit_N: NDArray[np.int64], level: float = 0.95) -> Interval:
    """Value, interval and number of units; nan bounds with fewer than two units or no spread."""
    share_U = unit_sums(estimate, unit_N)
    units = len(share_U)
    if units < 2 or np.isnan(estimate.value):
        return Interval(estimate.value, np.nan, np.nan, 0 if np.isnan(estimate.value) else units)
    variance = float((share_U**2).sum()) * units / (units - 1)
    if variance == 0:  # no unit differs: nothing says how far the next one would
        return Interval(estimate.value, np.nan, np.nan, units)
    skew = float((share_U**3).sum()) / variance**1.5
    kurtosis = units * float((share_U**4).sum()) / variance**2
    free = min(max(2 * units / max(kurtosis - 1, 1e-9), _FEWEST_FREE), units - 1)
    reach = float(stats.t.ppf((1 + level) / 2, free))
    error = variance**0.5
    return Interval(
        estimate.value,
        estimate.value - error * _unskewed(reach, skew),
        estimate.value - error * _unskewed(-reach, skew),
        units,
    )


def _unskewed(t: float, skew: float) -> float:
    """Where the skewed statistic stands when Hall's transformation of it stands at ``t``.

    The transformation is ``T + skew T^2 / 3 + skew^2 T^3 / 27 + skew / 6``, a cube, and monotone.
    """
    if abs(skew) < 1e-8:
        return t
    return float(3 / skew * (np.cbrt(1 + skew * (t - skew / 6)) - 1))


def bias_aware(direct: Linear, unbiased: Linear, unit_N: NDArray[np.int64]) -> Interval:
    """An interval around a model's estimate that holds as much error as the log cannot rule out.

    The log sees the model's error only as the difference to an unbiased estimate, with that one's
    own noise. Half the width is the 95 % point of ``|N(difference, error of the unbiased)|``: never
    narrower than the unbiased estimate's interval, for the model knows nothing that the log could
    confirm beyond it.
    """
    error = float((unit_sums(unbiased, unit_N) ** 2).sum()) ** 0.5
    units = len(np.unique(unit_N))
    if units < 2 or not error > 0:
        return Interval(direct.value, np.nan, np.nan, units)
    reach = float(stats.foldnorm.ppf(0.95, abs(direct.value - unbiased.value) / error)) * error
    return Interval(direct.value, direct.value - reach, direct.value + reach, units)
