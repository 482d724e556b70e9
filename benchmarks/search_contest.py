"""Searches against each other at an equal number of trials: the best so far, trial by trial.

Shape suffixes: S = seeds, N = trials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.storages import InMemoryStorage

from shelfwise.schema.progress import Progress
from shelfwise.tuning.config import SamplerName, TuneOptions
from shelfwise.tuning.plan import Budget, Outcome, Plan, Report
from shelfwise.tuning.space import Params, Space
from shelfwise.tuning.study import Study

SAMPLERS: tuple[SamplerName, ...] = ("gp", "tpe", "random", "grid")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to search, high is good."""

    name: str
    space: Space
    value: Callable[[Params], float]
    best: float | None  # the highest there is, where that is known


@dataclass(frozen=True, slots=True)
class Trace:
    """The best so far of one sampler, seed by seed."""

    sampler: str
    best_SN: NDArray[np.float64]

    def median(self, trials: int) -> float:
        """Over the seeds, after so many trials."""
        return float(np.median(self.best_SN[:, trials - 1]))

    def trials_to(self, value: float) -> float:
        """Median number of trials after which ``value`` is reached; inf where it is not."""
        reached_SN = self.best_SN >= value
        first_S = np.where(reached_SN.any(1), reached_SN.argmax(1) + 1.0, np.inf)
        return float(np.median(first_S))


def traces(problem: Problem, trials: int, seeds: int, progress: Progress) -> list[Trace]:
    """Every sampler with every seed. A grid draws nothing, and is asked once."""
    found = []
    with progress.step(problem.name, total=len(SAMPLERS) * seeds) as bar:
        for sampler in SAMPLERS:
            rows = []
            for seed in range(seeds if sampler != "grid" else 1):
                bar.note(f"{sampler}, seed {seed}")
                rows.append(_searched(problem, sampler, trials, seed))
                bar.advance()
            found.append(Trace(sampler, np.array(rows)))
    return found


def _searched(
    problem: Problem, sampler: SamplerName, trials: int, seed: int
) -> NDArray[np.float64]:
    """``[N]`` best so far."""
    values: list[float] = []

    def objective(params: Params, _: Report) -> Outcome:
        values.append(problem.value(params))
        return Outcome((values[-1],))

    options = TuneOptions(sampler=sampler, pruner="none", seed=seed)
    with TemporaryDirectory() as folder:
        plan = Plan(problem.space, (True,), options)
        study = Study(plan, InMemoryStorage(), Path(folder))
        study.begin_with(study.spread(trials))
        study.run(objective, Budget(trials))
    best_N = np.maximum.accumulate(np.array(values))
    return np.pad(best_N, (0, trials - len(best_N)), mode="edge")


def told(problem: Problem, found: list[Trace], trials: int) -> list[dict[str, Any]]:
    """A row a sampler and number of trials."""
    rows = []
    for trace in found:
        for after in (10, 20, 40, 60):
            if after > trials:
                continue
            at_S = trace.best_SN[:, after - 1]
            low, high = np.quantile(at_S, [0.25, 0.75])
            rows.append(
                {
                    "system": trace.sampler,
                    "view": problem.name,
                    "task": "search",
                    "metric": f"best of {after}",
                    "value": float(np.median(at_S)),
                    "low": float(low),
                    "high": float(high),
                    "seeds": len(at_S),
                    "support": len(at_S),
                }
            )
    return rows


def figures_of(problem: Problem, found: list[Trace], trials: int) -> dict[str, float | None]:
    """How soon each reaches the best that chance finds at last, and what is then still missing."""
    by_name = {trace.sampler: trace for trace in found}
    chance = by_name["random"]
    goal = chance.median(trials)
    figures: dict[str, float | None] = {}
    for name in ("gp", "tpe"):
        soon = by_name[name].trials_to(goal)
        figures[f"{problem.name}, {name}: trials_to_random_best"] = None if np.isinf(soon) else soon
        if problem.best is not None:
            left = problem.best - goal
            mine = problem.best - by_name[name].median(trials)
            figures[f"{problem.name}, {name}: regret_ratio"] = mine / left if left > 0 else None
    return figures
