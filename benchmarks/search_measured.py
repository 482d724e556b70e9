"""All problems of the tuning benchmark, searched by every sampler."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.result import Result, peak_mib
from benchmarks.search_contest import Problem, figures_of, told, traces
from benchmarks.search_functions import FUNCTIONS, Function
from benchmarks.search_grid import LEVELS, cells, grid_scores, grid_space
from shelfwise.schema.manifest import file_digest
from shelfwise.schema.progress import Progress
from shelfwise.tuning.space import Params

PROTOCOL = (
    "Every search has {trials} trials and {seeds} seeds; a value is the median of the best so far "
    "over the seeds, in brackets the quartiles. gp: Gaussian process, eight evenly spread trials "
    "first; tpe: tree of Parzen estimators; random; grid: evenly spaced, at most as many as there "
    "are trials. Functions are turned so that high is good. Online Retail: {cells} real trainings, "
    "made once (tuning_grid) and looked up; no search tries a cell twice."
)


def measure(trials: int, seeds: int, results: Path, progress: Progress) -> Result:
    """All problems in turn."""
    began = time.perf_counter()
    rows, figures = [], dict[str, float | None]()
    for problem in (*map(_turned, FUNCTIONS), looked_up(results)):
        found = traces(problem, trials, seeds, progress)
        rows += told(problem, found, trials)
        figures |= figures_of(problem, found, trials)
    return Result(
        benchmark="tuning",
        protocol=PROTOCOL.format(trials=trials, seeds=seeds, cells=len(cells())),
        data={
            "name": "test functions, and trainings on Online Retail",
            "fingerprint": file_digest(results),
            "counts": {"cells": len(cells()), "options": len(LEVELS)},
        },
        figures=figures,
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=rows,
    )


def _turned(function: Function) -> Problem:
    return Problem(
        function.name,
        function.space,
        lambda params: -function.value(params),
        -function.least,
    )


def looked_up(results: Path) -> Problem:
    """The grid of real trainings."""
    scores = grid_scores(results)

    def value(params: Params) -> float:
        return scores[tuple(params[name] for name in LEVELS)]

    return Problem("online retail", grid_space(), value, max(scores.values()))
