"""Grades that hold: a rising line through a grader's logits, fitted on validation.

Few steps bring a head's order of pairs further than its level, and training's judgements may be
better or worse on average than those it is asked for. A line of logits (Platt, 1999) mends the
level and the spread, and changes no order.

Shape suffixes in this file: N = judged rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

_LEAST_ROWS = 200  # two numbers are fitted
_MOST = 3.0  # of the factor's logarithm: validation cannot ask for more than twentyfold


class GradeLine(NamedTuple):
    """``factor * logit + shift``; the factor is above 0."""

    factor: float = 1.0
    shift: float = 0.0


def grade_line(logit_N: NDArray[np.float64], share_N: NDArray[np.float64]) -> GradeLine:
    """The line under which grades have the least cross-entropy; none where rows are few.

    Args:
        logit_N: as the grader gives them.
        share_N: where the judged grades lie between the lowest and the highest, 0 to 1.
    """
    if len(logit_N) < _LEAST_ROWS or np.ptp(share_N) == 0:
        return GradeLine()

    def entropy(line: NDArray[np.float64]) -> float:
        moved_N = np.exp(line[0]) * logit_N + line[1]
        return float((np.logaddexp(0, moved_N) - share_N * moved_N).mean())

    found = minimize(entropy, np.zeros(2), bounds=[(-_MOST, _MOST), (None, None)])
    return GradeLine(float(np.exp(found.x[0])), float(found.x[1]))
