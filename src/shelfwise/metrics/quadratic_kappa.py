"""Agreement of two gradings beyond chance (Cohen, 1968), disagreement counted squared.

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, row_weights
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def quadratic_kappa(
    a_N: NDArray[np.integer],
    b_N: NDArray[np.integer],
    weight_N: NDArray[Any] | None = None,
) -> MetricValue:
    """1 for gradings that agree, 0 for those that agree as much as chance, below 0 for less.

    ``1 - mean (a - b)^2 / mean (a' - b')^2``, a' and b' drawn from the two gradings without
    regard to each other. Being two grades off costs four times as much as one. It is
    symmetric, and in closed form: the lower mean is
    ``mean a^2 + mean b^2 - 2 (mean a)(mean b)``.

    Args:
        a_N: ``[N]`` grades, equally far apart.
        b_N: ``[N]``
        weight_N: ``[N]`` 0 or more.

    Returns:
        The agreement and the rows of weight above 0; nan where both give one and the same
        grade to every row, which chance does too.
    """
    require_one_per_row("quadratic_kappa", a_N, b_N)
    weight = row_weights("quadratic_kappa", weight_N, len(a_N))
    total = weight.sum()
    if total == 0:
        return NOTHING_TO_MEASURE
    # Around a common middle, so that large grades do not cancel digits away.
    middle = float(weight @ a_N) / total
    a, b = a_N.astype(np.float64) - middle, b_N.astype(np.float64) - middle
    by_chance = (weight @ a**2 + weight @ b**2) / total - 2 * (weight @ a) * (weight @ b) / total**2
    if by_chance <= 1e-12:
        return NOTHING_TO_MEASURE
    found = float(weight @ (a - b) ** 2) / total
    return MetricValue(1 - found / float(by_chance), int(np.count_nonzero(weight)))
