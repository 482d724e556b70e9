"""The one look at the test: written down before a row of it is read."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.compare import Answered, compare
from shelfwise.evaluation.compare_report import CompareReport
from shelfwise.evaluation.pieces import Setting
from shelfwise.evaluation.tuning.report import Opened
from shelfwise.schema.manifest import MANIFEST
from shelfwise.schema.progress import Progress
from shelfwise.training.train import train
from shelfwise.tuning.records import Trial
from shelfwise.tuning.study import Study

OPENED = "test.json"
_BASE, _TUNED = "searched-from", "tuned"


def place_of(out: Path) -> str:
    """Which folder of which machine this is."""
    return f"{socket.gethostname()}:{out.resolve()}"


def opened_of(study: Study) -> Opened | None:
    """For which trial the study's test was opened; None where it is shut."""
    told = study.opened
    return None if told is None else Opened(**told)


def open_test(study: Study, chosen: Trial, trials: Sequence[Trial], out: Path) -> Opened:
    """Open the test for the chosen trial: from now on no trial of the study begins, anywhere."""
    mine = Opened(
        trial=chosen.number,
        after_trials=sum(trial.counts for trial in trials),
        last_trial_ended=max(trial.ended for trial in trials),
        opened=datetime.now(UTC).isoformat(),
        by=place_of(out),
    )
    opened = Opened(**study.open(asdict(mine)))
    write_whole(out / OPENED, json.dumps(asdict(opened), indent=1) + "\n")
    return opened


def compared_on_test(
    prepared: PreparedShop | PreparedPairs,
    out: Path,
    settings: tuple[Setting, Setting],
    seeds: int,
    progress: Progress,
) -> CompareReport:
    """Both settings trained with new seeds on the whole shop, and compared on its test.

    Args:
        prepared: the shop, with its test.
        out: the study's folder; finished runs in it are taken as they are.
        settings: the one searched from, and the chosen one.
        seeds: how many; none is the trials'.
        progress: one bar over the trainings.
    """
    base, tuned = settings
    new = range(tuned.train.seed + 1, tuned.train.seed + 1 + seeds)
    runs = []
    with progress.step("Comparing on the test", total=2 * seeds) as bar:
        for name, setting in ((_TUNED, tuned), (_BASE, base)):
            for seed in new:
                run = out / "runs" / f"{name}-{seed}"
                bar.note(run.name)
                if not (run / MANIFEST).is_file():
                    options = setting.train.model_copy(update={"seed": seed})
                    # A training that was stopped goes on, where there is a log.
                    goes_on = isinstance(prepared, PreparedShop)
                    course = replace(setting.course, unfinished="resume" if goes_on else "anew")
                    train(prepared, run, setting.model, options, progress, course)
                runs.append(run)
                bar.advance()
    return compare(runs, tuned.evaluate, Answered(prepared=prepared.folder), progress)
