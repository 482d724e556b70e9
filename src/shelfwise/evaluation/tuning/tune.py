"""The whole of a search: trials by validation, the best of them, one look at the test."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shelfwise import __version__
from shelfwise.data.prepared import Prepared, PreparedJudgements, PreparedShop
from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.compare import Answered, compare
from shelfwise.evaluation.compare_report import CompareReport
from shelfwise.evaluation.pieces import claim
from shelfwise.evaluation.summary import data_summary, protocol_of
from shelfwise.evaluation.tuning.lessons import stages_of
from shelfwise.evaluation.tuning.objective import Configured, Trials
from shelfwise.evaluation.tuning.report import Opened, TuneReport, fidelities_of, reasons
from shelfwise.schema.errors import ArtifactError, ConfigError, ShelfwiseError
from shelfwise.schema.manifest import MANIFEST
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent
from shelfwise.schema.search import Value
from shelfwise.training.train import train
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.gain import expected_gain
from shelfwise.tuning.records import Trial, best_of, knee_of
from shelfwise.tuning.sampler import pruner_name, sampler_name
from shelfwise.tuning.space import Space
from shelfwise.tuning.storage import open_storage
from shelfwise.tuning.study import Budget, Plan, Study
from shelfwise.tuning.workers import helped_by

STUDY = "study.json"
_OPENED = "test.json"
_GRID = 100  # settings of a grid where no number of trials is asked for
_BASE, _TUNED = "searched-from", "tuned"


@dataclass(frozen=True, slots=True)
class Asked:
    """How a search was asked for."""

    trials: int | None = None
    minutes: float | None = None
    storage: str | None = None
    warm_from: Path | None = None  # an earlier study's folder
    test: bool = True  # whether the test is opened in the end
    helpers: tuple[tuple[str, ...], ...] = ()  # commands of further workers
    threads: int = 1  # of each further worker
    command: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched, and how settings become options."""

    prepared: Prepared
    configured: Configured
    options: TuneOptions
    space: Space


def tune(
    searched: Searched, out: Path, asked: Asked, progress: Progress | None = None
) -> TuneReport:
    """Search, choose by validation, and compare the chosen setting on the test, once.

    Goes on where it was stopped. Once the test is opened, no more is tried in this folder: what
    the test has told may not choose.

    Raises:
        ConfigError: ``out`` holds another study, or one whose test is open and more is asked for.
        ShelfwiseError: the first trials all failed.
    """
    began, progress = time.monotonic(), progress or Silent()
    with closing(open_study(searched, out, asked.storage)) as study:
        opened = _opened(out)
        if opened is None:
            _begin(study, searched, asked)
            _run(study, searched, out, asked, progress)
        elif asked.trials is not None and asked.trials > opened.after_trials:
            raise ConfigError(
                f"{out}: its test was opened after {opened.after_trials} trials, and may choose "
                f"nothing; to go on, begin another study with --from-study {out}"
            )
        return _finish(study, searched, out, asked, progress, began)


def work(searched: Searched, out: Path, storage: str | None, worker: int, budget: Budget) -> None:
    """Try settings of a study that another process has begun, until its budget is used up."""
    with closing(open_study(searched, out, storage, worker)) as study:
        study.run(_trials(searched, out), budget)


def open_study(searched: Searched, out: Path, storage: str | None, worker: int = 0) -> Study:
    """The study of a folder, begun where there is none.

    Raises:
        ConfigError: the folder holds something else, or another study.
    """
    facts = _facts(searched)
    claim(out, {"kind": "tune", **facts})
    trials = _trials(searched, out)
    name = f"shelfwise-{facts['data_fingerprint'][:12]}"
    plan = Plan(name, searched.space, trials.rising, searched.options, facts)
    return Study(plan, open_storage(out, storage), out, worker)


def _facts(searched: Searched) -> dict[str, Any]:
    """What a study follows from, beside its own options."""
    base = searched.configured(()).options()
    base["train"] = {n: v for n, v in base["train"].items() if n != "threads"}  # changes no result
    told: dict[str, Any] = plain(
        {
            "shelfwise": __version__,
            "data_fingerprint": searched.prepared.manifest.data_fingerprint,
            "searched_from": base,
        }
    )
    return told


def _trials(searched: Searched, out: Path) -> Trials:
    folder = out / "under-way"
    folder.mkdir(parents=True, exist_ok=True)
    return Trials(searched.prepared, folder, searched.configured, searched.options, searched.space)


def _begin(study: Study, searched: Searched, asked: Asked) -> None:
    """What is tried first: the setting searched from, the best of an earlier study, a spread."""
    first = [searched.space.defaults()]
    if asked.warm_from is not None:
        first += earlier_best(asked.warm_from, searched.space)
    first += study.spread(asked.trials or _GRID)
    study.begin_with([one for at, one in enumerate(first) if one not in first[:at]])


def _run(study: Study, searched: Searched, out: Path, asked: Asked, progress: Progress) -> None:
    seconds = None if asked.minutes is None else asked.minutes * 60
    budget = Budget(asked.trials, seconds)
    objective = _trials(searched, out)
    try:
        with helped_by(asked.helpers, out / "workers", asked.threads):
            study.run(objective, budget, progress)
        if asked.helpers and seconds is None:
            study.run(objective, budget, progress)  # what a helper that was killed has left
    except KeyboardInterrupt:
        if not study.best():
            raise  # nothing to tell


def earlier_best(folder: Path, space: Space) -> list[dict[str, Value]]:
    """The best settings of another study, as far as they lie in ``space``.

    Raises:
        ArtifactError: the folder holds no study that came to an end.
    """
    try:
        told = json.loads((folder / STUDY).read_text(encoding="utf-8"))
        found = {trial["number"]: trial["params"] for trial in told["trials"]}
        best = [found[number] for number in told["front"]]
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{folder / STUDY}: holds no study: {error}") from error
    known = {axis.name: axis.dimension for axis in space.axes}
    kept = []
    for params in best:
        inside = {n: v for n, v in params.items() if n in known and known[n].holds(v)}
        kept.append({**space.defaults(), **inside})
    return [one for one in kept if _is_whole(one, space)]


def _is_whole(params: Mapping[str, Value], space: Space) -> bool:
    """Whether every option that applies has a value, and no other."""
    found: dict[str, Value] = {}
    for axis in space.applying(found):
        if axis.name not in params:
            return False
        found[axis.name] = params[axis.name]
    return len(found) == len(params)


def _finish(
    study: Study,
    searched: Searched,
    out: Path,
    asked: Asked,
    progress: Progress,
    began: float,
) -> TuneReport:
    report = _reported(study, searched, asked)
    _write(report, out)
    chosen = report.trial(report.chosen)
    if asked.test and chosen is not None:
        if isinstance(searched.prepared, PreparedJudgements):
            report.notes.append(
                "The test of a shop of judgements is not compared here: train with the settings "
                "below, and evaluate both runs."
            )
        elif chosen.number == report.searched_from:
            report.notes.append(
                "The test was not opened: validation chose the setting that was searched from."
            )
        else:
            opened = _open_test(chosen, report.trials, out)
            test = _compared(searched, out, chosen, progress)
            report = replace(report, opened=opened, test=test)
    report = replace(report, seconds=round(time.monotonic() - began, 1))
    _write(report, out)
    return report


def _reported(study: Study, searched: Searched, asked: Asked) -> TuneReport:
    options, space = searched.options, searched.space
    trials, rising = study.trials(), study.plan.rising
    front = best_of(trials, rising)
    chosen = knee_of(front, rising)
    first = next((t.number for t in trials if t.params == space.defaults()), None)
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
        importance=study.importance(),
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


def _opened(out: Path) -> Opened | None:
    file = out / _OPENED
    return Opened(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def _open_test(chosen: Trial, trials: Sequence[Trial], out: Path) -> Opened:
    """Write down, before a row of the test is read, for which trial it is."""
    known = _opened(out)
    if known is not None:
        if known.trial != chosen.number:
            raise ShelfwiseError(
                f"{out / _OPENED}: the test was opened for trial {known.trial}, and the storage "
                f"now says that trial {chosen.number} is best; the study was altered"
            )
        return known
    ended = max(trial.ended for trial in trials)
    counted = sum(trial.counts for trial in trials)
    opened = Opened(chosen.number, counted, ended, datetime.now(UTC).isoformat())
    write_whole(out / _OPENED, json.dumps(asdict(opened), indent=1) + "\n")
    return opened


def _compared(searched: Searched, out: Path, chosen: Trial, progress: Progress) -> CompareReport:
    """Both settings trained with new seeds on the whole shop, and compared on its test."""
    assert not isinstance(searched.prepared, PreparedJudgements), "handled by the caller"
    tuned = searched.configured(searched.space.settings(chosen.params))
    settings = {_TUNED: tuned, _BASE: searched.configured(())}
    seeds = range(tuned.train.seed + 1, tuned.train.seed + 1 + searched.options.seeds)
    runs = []
    with progress.step("Comparing on the test", total=len(settings) * len(seeds)) as bar:
        for name, setting in settings.items():
            for seed in seeds:
                run = out / "runs" / f"{name}-{seed}"
                bar.note(run.name)
                if not (run / MANIFEST).is_file():
                    options = setting.train.model_copy(update={"seed": seed})
                    course = replace(setting.course, unfinished="resume")
                    if not isinstance(searched.prepared, PreparedShop):
                        course = setting.course
                    train(searched.prepared, run, setting.model, options, progress, course)
                runs.append(run)
                bar.advance()
    answered = Answered(prepared=searched.prepared.folder)
    return compare(runs, settings[_TUNED].evaluate, answered, progress)


def _write(report: TuneReport, out: Path) -> None:
    write_whole(out / STUDY, json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n")
