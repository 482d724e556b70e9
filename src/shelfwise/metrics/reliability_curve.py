"""Predicted against observed rates, in bins of equal mass.

Shape suffixes in this file: N = rows; T = distinct predictions; K = bins that hold rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import (
    require_one_per_row,
    require_probabilities,
    row_weights,
    run_starts,
)


class ReliabilityCurve(NamedTuple):
    predicted_K: NDArray[np.float64]  # mean prediction, rising
    observed_K: NDArray[np.float64]  # share of positive labels
    count_K: NDArray[np.float64]  # rows, or the sum of their weights


def reliability_curve(
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    bins: int = 20,
    weight_N: NDArray[Any] | None = None,
) -> ReliabilityCurve:
    """What was observed where the model predicted p: the diagonal is a calibrated model.

    Rows are cut by rising prediction into ``bins`` bins of about the same mass (equal width
    would leave nearly every row of a click log in the first bin). Equal predictions share
    one bin, that of their middle, so the order of the rows cannot change the curve; hence a
    model of few distinct predictions fills fewer bins. Empty bins are left out.

    For a bootstrap, sort the rows by ``p_N`` once: sorting them again is then linear.

    Args:
        p_N: ``[N]`` predicted probability of a positive label.
        label_N: ``[N]``.
        bins: Most bins to fill.
        weight_N: ``[N]`` 0 or more.
    """
    require_one_per_row("reliability_curve", p_N, label_N)
    require_probabilities("reliability_curve", p_N)
    if bins < 1:
        raise ValueError(f"reliability_curve needs at least 1 bin, got {bins}")
    weight = row_weights("reliability_curve", weight_N, len(p_N))
    total = float(weight.sum())
    if total == 0:
        return ReliabilityCurve(np.empty(0), np.empty(0), np.empty(0))

    order_N = np.argsort(p_N, kind="stable")
    p_by_order_N = p_N[order_N].astype(np.float64)
    weight_by_order_N = weight[order_N]
    start_T = run_starts(p_by_order_N)
    mass_T = np.add.reduceat(weight_by_order_N, start_T)
    positive_T = np.add.reduceat(weight_by_order_N * label_N[order_N], start_T)

    middle_T = np.cumsum(mass_T) - mass_T / 2
    bin_T = np.minimum((middle_T / total * bins).astype(np.int64), bins - 1)
    mass = np.bincount(bin_T, mass_T, minlength=bins).astype(np.float64)
    predicted = np.bincount(bin_T, mass_T * p_by_order_N[start_T], minlength=bins)
    positive = np.bincount(bin_T, positive_T, minlength=bins)
    held = mass > 0
    return ReliabilityCurve(predicted[held] / mass[held], positive[held] / mass[held], mass[held])
