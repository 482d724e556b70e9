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

from benchmarks.kept import Kept
from shelfwise.evaluation.report import OURS, Row
from shelfwise.metrics.bootstrap import bootstrap_interval, paired_interval
from shelfwise.metrics.holm import holm_adjusted
from shelfwise.metrics.permutation import sign_flip_test

_DRAWS = 1_000
_FLIPS = 5_000  # of the permutation test
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
    kept: Kept = field(default_factory=Kept)  # where each run's figures are written as it ends

    def add(self, system: str, values: Values) -> bool:
        """Keep one run; False where it is exactly the system's last one, and so says nothing new.

        A system that draws nothing by chance is told by this, and need not be run again.
        """
        runs = self.runs.setdefault(system, [])
        if runs and _same(runs[-1], values):
            return False
        runs.append(values)
        self.kept.note(self._plain(system, len(runs) - 1))
        return True

    def fail(self, system: str, reason: str) -> None:
        """Remember why a system has no figures."""
        self.failures[system] = reason
        self.kept.note([{"system": system, "failed": reason}])

    def rows(self) -> list[dict[str, Any]]:
        """Every figure with its interval over units; of several runs, a unit's mean counts."""
        rows: list[dict[str, Any]] = []
        for system, runs in self.runs.items():
            for figure, value_U in _mean(runs).items():
                found = bootstrap_interval(
                    value_U, self.weights.get(figure.view), draws=_DRAWS, seed=_SEED
                )
                value, low, high, support = found
                row = Row(system, *figure, value, low, high, support, seeds=len(runs))
                rows.append(asdict(row))
        rows += [{"system": name, "failed": reason} for name, reason in self.failures.items()]
        return rows

    def _plain(self, system: str, seed: int) -> list[dict[str, Any]]:
        """One run's figures, without intervals."""
        return [
            {
                "system": system,
                "seed": seed,
                **figure._asdict(),
                "value": _average(value_U, self.weights.get(figure.view)),
                "support": int(np.isfinite(value_U).sum()),
            }
            for figure, value_U in self.runs[system][seed].items()
        ]

    def differences(self, metrics: Sequence[str], a: str = OURS) -> list[dict[str, Any]]:
        """``a`` minus every other system, unit by unit, in the chosen metrics.

        ``p`` is that of a permutation test, ``p_holm`` the same corrected for all comparisons in
        one metric of one view: many systems are looked at.
        """
        if a not in self.runs:
            return []
        ours = _mean(self.runs[a])
        families: dict[Figure, list[dict[str, Any]]] = {}
        for system, runs in self.runs.items():
            theirs = _mean(runs)
            for figure in ours:
                if system != a and figure.metric in metrics and figure in theirs:
                    found = self._difference(figure, ours[figure], theirs[figure])
                    told = {"a": a, "b": system, **found, "seeds": len(self.runs[a])}
                    families.setdefault(figure, []).append(told)
        for family in families.values():
            adjusted = holm_adjusted(np.array([told["p"] for told in family]))
            for told, p_holm in zip(family, adjusted.tolist(), strict=True):
                told["p_holm"] = p_holm
        return [told for family in families.values() for told in family]

    def _difference(
        self, figure: Figure, a_U: NDArray[np.float64], b_U: NDArray[np.float64]
    ) -> dict[str, Any]:
        weight_U = self.weights.get(figure.view)
        gap = paired_interval(a_U, b_U, weight_U, draws=_DRAWS, seed=_SEED)
        test = sign_flip_test(a_U - b_U, weight_U, draws=_FLIPS, seed=_SEED)
        return {
            "view": figure.view,
            "task": figure.task,
            "metric": figure.metric,
            "value": gap.value,
            "low": gap.low,
            "high": gap.high,
            "p": test.p_value,
        }

    def seed_figures(self, figure: Figure, system: str = OURS) -> dict[str, float]:
        """A metric run by run: its spread is what another seed would have changed."""
        runs = self.runs.get(system, [])
        if len(runs) < 2:
            return {}
        weight_U = self.weights.get(figure.view)
        values = [_average(run[figure], weight_U) for run in runs]
        told = {f"{figure.metric} of seed {seed}": value for seed, value in enumerate(values)}
        return told | {f"{figure.metric} sd over seeds": float(np.std(values, ddof=1))}


def by_figure(runs: Sequence[Values]) -> dict[Figure, list[NDArray[np.float64]]]:
    """Each figure's values in the runs that have it."""
    found: dict[Figure, list[NDArray[np.float64]]] = {}
    for run in runs:
        for figure, value_U in run.items():
            found.setdefault(figure, []).append(value_U)
    return found


def _mean(runs: Sequence[Values]) -> dict[Figure, NDArray[np.float64]]:
    return {figure: np.mean(values, axis=0) for figure, values in by_figure(runs).items()}


def _same(one: Values, other: Values) -> bool:
    return all(np.array_equal(one[figure], other[figure], equal_nan=True) for figure in one)


def _average(value_U: NDArray[np.float64], weight_U: NDArray[np.float64] | None) -> float:
    known_U = ~np.isnan(value_U)
    weights = None if weight_U is None else weight_U[known_U]
    return float(np.average(value_U[known_U], weights=weights)) if known_U.any() else float("nan")
