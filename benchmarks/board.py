"""What systems answered on the same units, and what can be said of it: rows and differences.

A unit is what the bootstrap draws again: a shopper, an item, a query. Shape suffixes: U = units,
S = runs of a system that differ in their seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.report import OURS, Difference, Row
from shelfwise.metrics.bootstrap import bootstrap_interval, paired_interval

_DRAWS = 1_000
_SEED = 0


class Figure(NamedTuple):
    """Where a value belongs."""

    view: str
    task: str
    metric: str


Values = Mapping[Figure, NDArray[np.float64]]  # [U], nan where a unit has none


@dataclass(slots=True)
class Board:
    """Every system's values on the same units, a run at a time."""

    weights: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  # view -> [U]
    runs: dict[str, list[Values]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    about: list[dict[str, Any]] = field(default_factory=list)  # how each system was run
    notes: list[str] = field(default_factory=list)

    def add(self, system: str, values: Values) -> bool:
        """Keep one run; False where it is exactly the system's last one, and so says nothing new.

        A system that draws nothing by chance is told by this, and need not be run again.
        """
        runs = self.runs.setdefault(system, [])
        if runs and _same(runs[-1], values):
            return False
        runs.append(values)
        return True

    def fail(self, system: str, reason: str) -> None:
        """Remember why a system has no figures."""
        self.failures[system] = reason

    def rows(self) -> list[dict[str, Any]]:
        """Every figure with its interval over units; of several runs, a unit's mean counts."""
        rows: list[dict[str, Any]] = []
        for system, runs in self.runs.items():
            for figure, value_U in _mean(runs).items():
                found = bootstrap_interval(
                    value_U, self.weights.get(figure.view), draws=_DRAWS, seed=_SEED
                )
                rows.append(asdict(Row(system, *figure, *found, seeds=len(runs))))
        rows += [{"system": name, "failed": reason} for name, reason in self.failures.items()]
        return rows

    def differences(self, metrics: Sequence[str], a: str = OURS) -> list[dict[str, Any]]:
        """``a`` minus every other system, unit by unit, in the chosen metrics."""
        if a not in self.runs:
            return []
        ours = _mean(self.runs[a])
        found = []
        for system, runs in self.runs.items():
            theirs = _mean(runs)
            for figure in ours:
                if system == a or figure.metric not in metrics or figure not in theirs:
                    continue
                gap = paired_interval(
                    ours[figure],
                    theirs[figure],
                    self.weights.get(figure.view),
                    draws=_DRAWS,
                    seed=_SEED,
                )
                place = (a, system, figure.view, figure.metric)
                told = Difference(*place, gap.value, gap.low, gap.high, seeds=len(self.runs[a]))
                found.append(asdict(told))
        return found

    def seed_figures(self, figure: Figure, system: str = OURS) -> dict[str, float]:
        """A metric run by run: its spread is what another seed would have changed."""
        runs = self.runs.get(system, [])
        if len(runs) < 2:
            return {}
        weight_U = self.weights.get(figure.view)
        values = [_average(run[figure], weight_U) for run in runs]
        told = {f"{figure.metric} of seed {seed}": value for seed, value in enumerate(values)}
        return told | {f"{figure.metric} sd over seeds": float(np.std(values, ddof=1))}


def _mean(runs: Sequence[Values]) -> dict[Figure, NDArray[np.float64]]:
    return {figure: np.mean([run[figure] for run in runs], axis=0) for figure in runs[0]}


def _same(one: Values, other: Values) -> bool:
    return all(np.array_equal(one[figure], other[figure], equal_nan=True) for figure in one)


def _average(value_U: NDArray[np.float64], weight_U: NDArray[np.float64] | None) -> float:
    known_U = ~np.isnan(value_U)
    weights = None if weight_U is None else weight_U[known_U]
    return float(np.average(value_U[known_U], weights=weights)) if known_U.any() else float("nan")
