"""The score above which a row is best called positive.

Shape suffixes in this file: N = rows; T = distinct scores, in falling order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_ordered, run_starts


class Threshold(NamedTuple):
    threshold: float  # a row is positive where score >= threshold
    f1: float  # on the rows it was chosen on, so an optimistic figure
    support: int  # rows it was chosen on; 0 means nan, which calls no row positive


def f1_threshold(score_N: NDArray[np.floating], label_N: NDArray[np.bool_]) -> Threshold:
    """The observed score that maximises F1 on validation rows; the highest one among equals.

    Choose it on rows that are neither trained nor reported on. Without a positive label
    every threshold has F1 0 and none is chosen.

    Args:
        score_N: ``[N]`` higher means more likely positive.
        label_N: ``[N]``.
    """
    require_one_per_row("f1_threshold", score_N, label_N)
    require_ordered("f1_threshold", score_N)
    positives = int(np.count_nonzero(label_N))
    if positives == 0:
        return Threshold(float("nan"), float("nan"), 0)
    order_N = np.argsort(-score_N, kind="stable")
    falling_N = score_N[order_N]
    start_T = run_starts(falling_N)
    # Calling positive down to a score calls all rows that share it.
    called_T = np.append(start_T[1:], len(score_N))
    right_T = np.cumsum(np.add.reduceat(label_N[order_N].astype(np.int64), start_T))
    f1_T = 2 * right_T / (called_T + positives)
    best = int(np.argmax(f1_T))
    return Threshold(float(falling_N[start_T[best]]), float(f1_T[best]), len(score_N))
