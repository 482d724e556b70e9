"""One metric of two systems, put side by side: values, the difference, its interval and its p.

Shape suffixes in this file: S = seeds, U = users (or items, texts), N = rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.paired_metrics import (
    Labels,
    MeanMetric,
    Metric,
    Probabilities,
    RowMetric,
    Swapped,
    Weighted,
)
from shelfwise.metrics.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_rows,
    paired_interval,
)
from shelfwise.metrics.permutation import PermutationTest, sign_flip_test, swap_test
from shelfwise.metrics.swapped_auc import SwappedAuc

_ROW_DRAWS = 200  # bootstrap draws that pass over every row; as many as `evaluate` makes
_MEAN_FLIPS = 10_000  # cheap: one product of a matrix
_ROW_FLIPS = 1_000
_ENOUGH_HITS = 30  # p is then known to a fifth of itself
_FLIPS_A_COMPARISON = 40  # so that the smallest p, times all comparisons, is 1 / 40


@dataclass(frozen=True, slots=True)
class Draws:
    """How often users are drawn again, and answers exchanged."""

    interval: int
    comparisons: int  # of the whole call: the more there are, the smaller a p has to be
    seed: int

    def flips(self, usual: int) -> int:
        """A p-value of few draws could never be small enough after Holm's correction."""
        return max(usual, _FLIPS_A_COMPARISON * self.comparisons)


def value_of(metric: Metric, draws: Draws) -> Interval:
    """Mean over the seeds, with the interval that other users would give."""
    if isinstance(metric, MeanMetric):
        return bootstrap_interval(
            metric.value_SU.mean(axis=0), metric.weight_U, draws=draws.interval, seed=draws.seed
        )
    return bootstrap_rows(
        _mean_of([metric.prepared(p_N, metric.label_N) for p_N in metric.p_SN], None),
        metric.unit_N,
        draws=min(draws.interval, _ROW_DRAWS),
        seed=draws.seed,
    )


def seed_values(metric: Metric) -> list[float]:
    """The figure of each seed on its own."""
    if isinstance(metric, RowMetric):
        weight_N = np.ones(len(metric.label_N))
        return [metric.prepared(p_N, metric.label_N)(weight_N) for p_N in metric.p_SN]
    weight_U = metric.weight_U
    found = []
    for value_U in metric.value_SU:
        known_U = ~np.isnan(value_U) & (weight_U > 0)
        total = weight_U[known_U].sum()
        found.append(float(weight_U[known_U] @ value_U[known_U] / total) if total else float("nan"))
    return found


def difference_of(a: Metric, b: Metric, draws: Draws) -> tuple[Interval, PermutationTest]:
    """``a - b``: its interval over users, and how often chance alone gives as much.

    Both are about other users, not about other seeds: the seeds at hand are taken as they are.
    """
    if isinstance(a, MeanMetric) and isinstance(b, MeanMetric):
        a_U, b_U = a.value_SU.mean(axis=0), b.value_SU.mean(axis=0)
        return (
            paired_interval(a_U, b_U, a.weight_U, draws=draws.interval, seed=draws.seed),
            sign_flip_test(a_U - b_U, a.weight_U, draws=draws.flips(_MEAN_FLIPS), seed=draws.seed),
        )
    assert isinstance(a, RowMetric), "a figure has one form"
    assert isinstance(b, RowMetric), "a figure has one form"
    ours, theirs = (
        _mean_of([one.prepared(p_N, one.label_N) for p_N in one.p_SN], one.loss) for one in (a, b)
    )
    return (
        bootstrap_rows(
            lambda w_N: ours(w_N) - theirs(w_N),
            a.unit_N,
            draws=min(draws.interval, _ROW_DRAWS),
            seed=draws.seed,
        ),
        _swap_test(a, b, draws),
    )


def _swap_test(a: RowMetric, b: RowMetric, draws: Draws) -> PermutationTest:
    """Seeds meet in turn, each equally often: three against two make six pairs."""
    swapped = a.swapped or partial(_measured_anew, a)
    gaps = [
        swapped(a.p_SN[turn % len(a.p_SN)], b.p_SN[turn % len(b.p_SN)], a.label_N)
        for turn in range(lcm(len(a.p_SN), len(b.p_SN)))
    ]
    areas = [gap.part_N for gap in gaps if isinstance(gap, SwappedAuc)]
    if len(areas) == len(gaps):  # sums over rows, so over users as well: a swap turns a sign round
        _, unit_N = np.unique(a.unit_N, return_inverse=True)
        part_U = np.bincount(unit_N, np.mean(areas, axis=0)).astype(np.float64)
        return sign_flip_test(part_U * len(part_U), draws=draws.flips(_MEAN_FLIPS), seed=draws.seed)
    return swap_test(
        lambda swapped_N: float(np.mean([gap(swapped_N) for gap in gaps])),
        a.unit_N,
        draws=draws.flips(_ROW_FLIPS),
        enough_hits=_ENOUGH_HITS,
        seed=draws.seed,
    )


def _measured_anew(
    metric: RowMetric, a_N: Probabilities, b_N: Probabilities, label_N: Labels
) -> Swapped:
    """The way to a swap that every figure of rows has; sorting anew makes it the slow one."""
    weight_N = np.ones(len(label_N))

    def figure(p_N: Probabilities) -> float:
        return _mean_of([metric.prepared(p_N, label_N)], metric.loss)(weight_N)

    return lambda swapped_N: (
        figure(np.where(swapped_N, b_N, a_N)) - figure(np.where(swapped_N, a_N, b_N))
    )


def _mean_of(figures: list[Weighted], loss: Callable[[float], float] | None) -> Weighted:
    def mean(weight_N: NDArray[Any]) -> float:
        values = [figure(weight_N) for figure in figures]
        return float(np.mean([loss(value) for value in values] if loss else values))

    return mean
