"""Do the tasks pull the weights they share in opposite directions?

The cosine of two tasks' gradients on the shared weights (as in Yu et al., 2020, arXiv:2001.06782):
below 0, a step for one is a step against the other.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.diagnosis.gradients import TASKS, Asked
from shelfwise.evaluation.slices.influence import interval_of, mean_estimate
from shelfwise.metrics.bootstrap import Interval

_AGAINST = -0.05  # mean cosine from which tasks are said to pull apart
_LOUD = 30.0  # times as long a gradient as the other task's


class _Pair(NamedTuple):
    tasks: tuple[str, str]
    cosine: Interval
    against: float  # share of batches with a negative cosine
    times: float  # how many times as long the first task's gradient is


def conflict_findings(asked: list[Asked]) -> list[Finding]:
    """Pairs of tasks, with the mean cosine of their gradients and how often it is negative."""
    pairs = [
        found for tasks in combinations(TASKS, 2) if (found := _pair(tasks, asked)) is not None
    ]
    if not pairs:
        return []
    evidence = [
        figure
        for pair in pairs
        for figure in (
            Evidence.of_interval(
                f"cosine of {pair.tasks[0]} and {pair.tasks[1]}", pair.cosine, "batches"
            ),
            Evidence(
                f"share of batches in which {pair.tasks[0]} and {pair.tasks[1]} disagree",
                pair.against,
            ),
            Evidence(f"gradient of {pair.tasks[0]} over that of {pair.tasks[1]}", pair.times),
        )
    ]
    apart = [pair for pair in pairs if pair.cosine.high < _AGAINST]
    if apart:
        worst = min(apart, key=lambda pair: pair.cosine.value)
        one, other = worst.tasks
        return [
            Finding(
                "task conflict",
                "warning",
                f"{one.capitalize()} and {other} pull the shared weights apart: mean cosine "
                f"{worst.cosine.value:.2f}, negative in {worst.against:.0%} of batches.",
                evidence,
                f"Train {one} and {other} apart once and compare (--single RUN); if each gains, "
                "lower train.match_weight or train.purchase_weight, or widen model.heads.hidden.",
            )
        ]
    return [
        Finding(
            "tasks",
            "fine",
            "The tasks do not pull the shared weights apart: "
            + ", ".join(f"{p.tasks[0]} and {p.tasks[1]} {p.cosine.value:+.2f}" for p in pairs)
            + f" (mean cosine of gradients).{_loudest(pairs)}",
            evidence,
        )
    ]


def _loudest(pairs: list[_Pair]) -> str:
    loud = [pair for pair in pairs if not 1 / _LOUD < pair.times < _LOUD]
    if not loud:
        return ""
    one, other = max(loud, key=lambda pair: abs(np.log(pair.times))).tasks
    return f" The gradients of {one} and {other} differ in length by more than {_LOUD:.0f} times."


def _pair(tasks: tuple[str, str], asked: list[Asked]) -> _Pair | None:
    both = [
        (one.of_task[tasks[0]], one.of_task[tasks[1]])
        for one in asked
        if tasks[0] in one.of_task and tasks[1] in one.of_task
    ]
    lengths = np.array([[float(a.norm()), float(b.norm())] for a, b in both])
    if len(both) < 2 or (lengths == 0).any():
        return None
    cosines = np.array([float(a @ b) for a, b in both]) / lengths.prod(axis=1)
    times = float(np.exp(np.log(lengths[:, 0] / lengths[:, 1]).mean()))
    cosine = interval_of(mean_estimate(cosines), np.arange(len(cosines)))
    return _Pair(tasks, cosine, float((cosines < 0).mean()), times)
