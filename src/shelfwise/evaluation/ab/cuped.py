"""CUPED (Deng, Xu, Kohavi, Walker, 2013): what units did before the test explains part of their
spread, and is the same in every arm but for chance.

    adjusted difference = difference - theta * (mean x of b - mean x of a)

with ``theta`` the slope of the outcome on the covariate within arms. The variance left is
``1 - correlation^2``; what is estimated stays the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shelfwise.evaluation.ab.ratio import Floats, Ratio


class Adjusted(NamedTuple):
    """Two arms after the adjustment."""

    a: Ratio
    b: Ratio
    variance_left: float  # of the difference; 1: the covariate explains nothing


def cuped(a: Ratio, b: Ratio, before_a_U: Floats, before_b_U: Floats) -> Adjusted:
    """Take out what the covariate explains of both arms, at the covariate's common mean.

    Args:
        a: the control's ratio; its influence is the outcome that is adjusted.
        b: the other arm's.
        before_a_U: the same measure of the control's units before the test, 0 for new units.
        before_b_U: of the other arm's units.
    """
    deviation_a, deviation_b = before_a_U - before_a_U.mean(), before_b_U - before_b_U.mean()
    spread = float((deviation_a**2).sum() + (deviation_b**2).sum())
    if spread == 0:
        return Adjusted(a, b, 1.0)
    together = float((deviation_a * a.influence_U).sum() + (deviation_b * b.influence_U).sum())
    theta = together / spread
    common = float(np.concatenate([before_a_U, before_b_U]).mean())
    new_a = Ratio(
        a.value - theta * (float(before_a_U.mean()) - common), a.influence_U - theta * deviation_a
    )
    new_b = Ratio(
        b.value - theta * (float(before_b_U.mean()) - common), b.influence_U - theta * deviation_b
    )
    old = a.error**2 + b.error**2
    return Adjusted(new_a, new_b, (new_a.error**2 + new_b.error**2) / old if old > 0 else 1.0)
