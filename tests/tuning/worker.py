"""A worker of a study, to be killed: ``python worker.py URL FOLDER NUMBER TRIALS SECONDS``."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path

from shelfwise.schema.search import Span
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.plan import Budget, Outcome, Plan, Report, Worker
from shelfwise.tuning.space import Axis, Params, Space
from shelfwise.tuning.storage import open_storage
from shelfwise.tuning.study import Study

SPACE = Space((Axis("x", "x", Span(0.0, 1.0), 0.5),))


def opened(url: str, folder: Path, number: int) -> Study:
    plan = Plan(SPACE, (True,), TuneOptions(sampler="random", pruner="none"))
    return Study(plan, open_storage(folder, url or None), folder, Worker(number))


def main(url: str, folder: str, number: str, trials: str, seconds: str) -> None:
    def objective(params: Params, _: Report) -> Outcome:
        time.sleep(float(seconds))
        return Outcome((float(params["x"]),))

    with closing(opened(url, Path(folder), int(number))) as study:
        study.run(objective, Budget(int(trials)))


if __name__ == "__main__":
    main(*sys.argv[1:])
