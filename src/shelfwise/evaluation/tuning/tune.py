"""The whole of a search: trials by validation, the best of them, one look at the test."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shelfwise import __version__
from shelfwise.data.prepared import Prepared, PreparedJudgements
from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.pieces import claim
from shelfwise.evaluation.summary import data_summary, protocol_of
from shelfwise.evaluation.tuning.earlier import NOTHING_EARLIER, STUDY, Earlier
from shelfwise.evaluation.tuning.lessons import stages_of
from shelfwise.evaluation.tuning.objective import Configured, Trials
from shelfwise.evaluation.tuning.opening import compared_on_test, open_test, opened_of, place_of
from shelfwise.evaluation.tuning.report import TuneReport, fidelities_of, reasons
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.gain import expected_gain
from shelfwise.tuning.importance import importance_of
from shelfwise.tuning.plan import Budget, Plan, Worker
from shelfwise.tuning.records import Trial, best_of, knee_of
from shelfwise.tuning.sampler import pruner_name, sampler_name
from shelfwise.tuning.space import Space
from shelfwise.tuning.storage import open_storage
from shelfwise.tuning.study import Study
from shelfwise.tuning.workers import helped_by

_GRID = 100  # settings of a grid where no number of trials is asked for


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched, how settings become options, and where it is kept."""

    prepared: Prepared
    configured: Configured
    options: TuneOptions
    space: Space
    storage: str | None = None  # URL; None: a journal in the study's folder
    earlier: Earlier = NOTHING_EARLIER  # settings to begin with


@dataclass(frozen=True, slots=True)
class Asked:
    """How long is searched, and what comes after."""

    trials: int | None = None
    minutes: float | None = None
    test: bool = True  # whether the test is opened in the end
    helpers: tuple[tuple[str, ...], ...] = ()  # commands of further workers
    threads: int = 1  # of each further worker
    command: str = ""

    @property
    def budget(self) -> Budget:
        """As a study knows it."""
        return Budget(self.trials, None if self.minutes is None else self.minutes * 60)


def tune(
    searched: Searched, out: Path, asked: Asked, progress: Progress | None = None
) -> TuneReport:
    """Search, choose by validation, and compare the chosen setting on the test, once.

    Goes on where it was stopped. Once the test is opened, no more is tried in this study: what
    the test has told may not choose. An interrupt leaves the test shut.

    Raises:
        ConfigError: ``out`` holds another study, or one whose test is open and more is asked for.
        ShelfwiseError: the first trials all failed.
    """
    began, progress = time.monotonic(), progress or Silent()
    with closing(open_study(searched, out)) as study:
        opened = opened_of(study)
        notes: list[str] = []
        if opened is None:
            _begin(study, searched, asked)
            try:
                notes += _run(study, _trials(searched, out), out, asked, progress)
            except KeyboardInterrupt:
                if not study.best():
                    raise  # nothing to tell
                asked = replace(asked, test=False)
                notes.append("Interrupted; the same command goes on, and the test stays shut.")
        elif asked.trials is not None and asked.trials > opened.after_trials:
            raise ConfigError(
                f"{out}: its test was opened after {opened.after_trials} trials, and may choose "
                f"nothing; to go on, begin another study with --from-study {out}"
            )
        report = _reported(study, searched, asked)
        report.notes.extend([*notes, *_notes_of_earlier(searched)])
        _write(report, out)
        report = _tested(report, study, searched, (out, asked), progress)
    report = replace(report, seconds=round(time.monotonic() - began, 1))
    _write(report, out)
    return report


def work(searched: Searched, out: Path, number: int, budget: Budget) -> None:
    """Try settings of a study that another process has begun, until its budget is used up."""
    with closing(open_study(searched, out, number)) as study:
        study.run(_trials(searched, out), budget)


def open_study(searched: Searched, out: Path, number: int = 0) -> Study:
    """The study of a folder, begun where there is none.

    Raises:
        ConfigError: the folder holds something else, or another study.
    """
    plan = _plan(searched, out)
    claim(out, {"kind": "tune", **plan.as_json()})
    # Where several machines share a storage, workers of one number would draw the same.
    machine = "" if searched.storage is None else place_of(out)
    return Study(plan, open_storage(out, searched.storage), out, Worker(number, machine))


def _plan(searched: Searched, out: Path) -> Plan:
    """What a study follows from."""
    base = searched.configured(()).options()
    base["train"] = {n: v for n, v in base["train"].items() if n != "threads"}  # changes no result
    told: dict[str, Any] = plain(
        {
            "shelfwise": __version__,
            "data_fingerprint": searched.prepared.manifest.data_fingerprint,
            "searched_from": base,
            "begins_with": searched.earlier.settings,
        }
    )
    trials = _trials(searched, out)
    return Plan(searched.space, trials.rising, searched.options, trials.steps, told)


def _trials(searched: Searched, out: Path) -> Trials:
    return Trials(
        searched.prepared,
        out / "under-way",
        searched.configured,
        searched.options,
        searched.space,
    )


def _begin(study: Study, searched: Searched, asked: Asked) -> None:
    """What is tried first: the setting searched from, the best of an earlier study, a spread."""
    first = [searched.space.defaults(), *searched.earlier.settings]
    first += study.spread(asked.trials or _GRID)
    study.begin_with([one for at, one in enumerate(first) if one not in first[:at]])


def _run(study: Study, objective: Trials, out: Path, asked: Asked, progress: Progress) -> list[str]:
    """Search until the budget is used up and nobody works any more; what went wrong beside it."""
    began, budget = time.monotonic(), asked.budget
    folder = out / "workers"
    with helped_by(asked.helpers, folder, asked.threads) as helpers:
        study.run(objective, budget, progress)
    while study.settle(progress):  # what a worker that was killed has left
        if budget.seconds is not None:
            budget = replace(asked.budget, seconds=budget.seconds - (time.monotonic() - began))
        study.run(objective, budget, progress)
    return [
        f"Worker {number} ended with exit code {helper.returncode}: see "
        f"{folder / f'worker-{number}.txt'}"
        for number, helper in enumerate(helpers, start=1)
        if helper.returncode
    ]


def _tested(
    report: TuneReport,
    study: Study,
    searched: Searched,
    asked_in: tuple[Path, Asked],
    progress: Progress,
) -> TuneReport:
    """The report with the comparison on the test, where that is asked for and tells something."""
    out, asked = asked_in
    chosen, opened = report.trial(report.chosen), opened_of(study)
    if chosen is None or not (asked.test or opened):
        return report
    if chosen.params == searched.space.defaults():
        return _noted(
            report, "The test was not opened: validation chose the setting searched from."
        )
    if isinstance(searched.prepared, PreparedJudgements):
        return _noted(
            report,
            "The test of a shop of judgements is not compared here: train with the chosen setting, "
            "and evaluate both runs.",
        )
    opened = opened or open_test(study, chosen, report.trials, out)
    if opened.by != place_of(out):
        return _noted(report, f"The test was opened in {opened.by}, for trial {opened.trial}.")
    chosen = report.trial(opened.trial)
    assert chosen is not None, "a trial is never removed"
    settings = (
        searched.configured(()),
        searched.configured(searched.space.settings(chosen.params)),
    )
    seeds = searched.options.seeds
    test = compared_on_test(searched.prepared, out, settings, seeds, progress)
    return replace(report, opened=opened, test=test)


def _noted(report: TuneReport, note: str) -> TuneReport:
    return replace(report, notes=[*report.notes, note])


def _notes_of_earlier(searched: Searched) -> list[str]:
    if not searched.earlier.left_out:
        return []
    return [
        f"Of the earlier study, not searched here: {', '.join(searched.earlier.left_out)}; the "
        "setting searched from stands in for it."
    ]


def _reported(study: Study, searched: Searched, asked: Asked) -> TuneReport:
    options, space = searched.options, searched.space
    trials = [trial for trial in study.trials() if trial.state != "waiting"]
    rising = study.plan.rising
    front = best_of(trials, rising)
    chosen = knee_of(front, rising)
    if (opened := opened_of(study)) is not None:  # that one, whatever ended since
        chosen = next(trial for trial in trials if trial.number == opened.trial)
    done = [trial for trial in trials if trial.state == "done"]
    first = next((trial.number for trial in done if trial.params == space.defaults()), None)
    stages = [stage.name for stage in stages_of(searched.prepared, options)]
    alone = len(rising) == 1
    return TuneReport(
        protocol=_protocol(searched.prepared, stages, options),
        data=data_summary(searched.prepared),
        objectives=list(options.objectives),
        rising=list(rising),
        sampler="expected improvement per second"
        if options.by_cost
        else sampler_name(options, space),
        pruner=pruner_name(options),
        space=space.as_json(),
        stages=stages,
        trials=trials,
        searched_from=first,
        chosen=None if chosen is None else chosen.number,
        settings=[] if chosen is None else space.settings(chosen.params),
        importance=importance_of(trials, space, rising[0]),
        gain=expected_gain(trials, space, rising[0], options.seed) if alone else None,
        fidelities=fidelities_of(trials, stages) if len(stages) > 1 and not options.folds else [],
        notes=_notes(trials, rising),
        reproduce={
            **({"Command": asked.command} if asked.command else {}),
            "Data": f"fingerprint {searched.prepared.manifest.data_fingerprint}",
        },
    )


def _protocol(prepared: Prepared, stages: Sequence[str], options: TuneOptions) -> str:
    by = {
        True: f"the mean of {len(stages)} folds by user",
        False: "validation" if len(stages) == 1 else f"validation, at {', '.join(stages)} of users",
    }[bool(options.folds)]
    return (
        f"{protocol_of(prepared)} Settings are judged by {by}; the test's rows are in no part of "
        "what a trial can read, and are opened once, for the setting that was chosen."
    )


def _notes(trials: Sequence[Trial], rising: Sequence[bool]) -> list[str]:
    notes = [
        f"failed: {why} (trial {', '.join(map(str, numbers))})"
        for why, numbers in reasons(trials).items()
    ]
    broken = sum(trial.state == "done" and not trial.kept for trial in trials)
    if broken:
        notes.append(f"{broken} trials broke a limit and cannot be chosen.")
    if len(rising) > 1:
        notes.append("Chosen is the knee of the front: nearest to where all objectives are best.")
    return notes


def _write(report: TuneReport, out: Path) -> None:
    write_whole(out / STUDY, json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n")
