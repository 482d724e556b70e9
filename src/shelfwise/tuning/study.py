"""A search: trials asked for, judged and kept, by one worker or many, through kills and stops.

Workers share nothing but the storage. Each asks for a trial, judges it, and tells what came of it;
a trial whose worker was killed is tried again by whoever comes next.
"""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import qmc

from shelfwise.schema.errors import ConfigError, DataError, ShelfwiseError
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent, Step
from shelfwise.schema.search import Value
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.lease import Lease
from shelfwise.tuning.records import (
    LOST,
    NOTES,
    SAME_AS,
    SECONDS,
    SURPLUS,
    TICKET,
    WHY,
    Trial,
    best_of,
    record_of,
)
from shelfwise.tuning.sampler import pruner_of, sampler_name, sampler_of
from shelfwise.tuning.space import Params, Space

_PLAN = "plan"
_WORKER_STRIDE, _RESUMED_STRIDE = 7_919, 104_729  # primes: their sums do not meet
_SAME_IN_A_ROW = 5  # suggestions already tried, after which one that is new is drawn
_DRAWS = 8  # power of two
_LEAST_FOR_IMPORTANCE = 8
_FAILED_AT_FIRST = 3  # all of the first trials: then it is no setting's fault


class PrunedError(Exception):
    """The pruner says that this trial is not worth its time."""


class Report(Protocol):
    """Told of a trial on its way; raises `PrunedError` where it is to stop."""

    def __call__(self, step: int, value: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a setting comes to."""

    values: tuple[float, ...]  # one an objective
    limits: Mapping[str, float] = field(default_factory=dict)  # above 0: broken
    notes: Mapping[str, Any] = field(default_factory=dict)  # what else is to be kept


Objective = Callable[[Params, Report], Outcome]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search is, wherever it goes on."""

    name: str
    space: Space
    rising: tuple[bool, ...]  # whether an objective is to be high, each
    options: TuneOptions
    facts: Mapping[str, Any] = field(default_factory=dict)  # what else must be the same

    def as_json(self) -> dict[str, Any]:
        """Plain values; what may change between calls, such as seeds of the end, is left out."""
        kept = self.options.model_dump(mode="json", exclude={"seeds"})
        told: dict[str, Any] = plain(
            {
                "space": self.space.as_json(),
                "rising": list(self.rising),
                "tune": kept,
                "sampler": sampler_name(self.options, self.space),
                **self.facts,
            }
        )
        return told


@dataclass(frozen=True, slots=True)
class Budget:
    """When a search ends."""

    trials: int | None = None  # in all, those of earlier calls and of other workers included
    seconds: float | None = None  # of this call
    stop: Callable[[], bool] = lambda: False  # asked before each trial


class Study:
    """A search that is open: what was tried, and more of it."""

    def __init__(self, plan: Plan, storage: BaseStorage, folder: Path, worker: int = 0) -> None:
        """Open it, or begin it.

        Args:
            plan: what it is; a study of that name with another plan is refused.
            storage: where its trials are.
            folder: where its workers' locks and the traces of failures lie.
            worker: number of this one; each draws for itself.

        Raises:
            ConfigError: the study of that name is of another plan; the differences are named.
        """
        self.plan, self.folder = plan, folder
        self._storage = storage
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        options = plan.options
        self._study = optuna.create_study(
            storage=storage,
            study_name=plan.name,
            directions=["maximize" if up else "minimize" for up in plan.rising],
            pruner=pruner_of(options),
            load_if_exists=True,
        )
        # One that goes on, and each worker, is to draw what was not drawn before.
        begun = len(self._study.get_trials(deepcopy=False))
        seed = options.seed + _WORKER_STRIDE * worker + _RESUMED_STRIDE * begun
        self._study.sampler = sampler_of(options, plan.space, seed)
        self._is_grid = sampler_name(options, plan.space) == "grid"
        self._agree_on_plan()

    def close(self) -> None:
        """Let go of the storage."""
        self._storage.remove_session()
        if isinstance(self._storage, RDBStorage):
            self._storage.engine.dispose()

    def trials(self) -> list[Trial]:
        """What was tried so far, in order."""
        found = self._study.get_trials(deepcopy=False)
        return [record_of(trial, self.plan.space) for trial in found]

    def best(self) -> list[Trial]:
        """The best setting, or the front of several objectives."""
        return best_of(self.trials(), self.plan.rising)

    def importance(self) -> dict[str, float]:
        """Share of each option in how much the (first) objective varies, the largest first.

        By PED-ANOVA (Watanabe, Bansal and Hutter, 2023), of options that every trial has drawn;
        empty before there are a few done trials.
        """
        done = [trial for trial in self.trials() if trial.state == "done"]
        if len(done) < _LEAST_FOR_IMPORTANCE or len({trial.values[0] for trial in done}) < 2:
            return {}
        up = self.plan.rising[0]
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(
            self._study,
            evaluator=evaluator,
            target=None if len(self.plan.rising) == 1 else _first_value(up),
        )
        return {name: float(share) for name, share in found.items()}

    def begin_with(self, settings: Sequence[Params]) -> None:
        """Have these tried before any other; a study that has begun is left as it is."""
        for place, params in enumerate(settings):
            self._enqueue(params, f"start {place}")

    def spread(self, trials: int) -> list[dict[str, Value]]:
        """Settings to begin with, evenly in the space (Sobol): all of them, for a grid."""
        options, axes = self.plan.options, self.plan.space.axes
        sampler = sampler_name(options, self.plan.space)
        if sampler == "random" or not axes:
            return []
        if sampler == "grid":
            return self.plan.space.grid(trials)
        points = qmc.Sobol(len(axes), rng=options.seed).random_base2(
            max(1, (options.first_trials - 1).bit_length())
        )
        found = [self.plan.space.at(point.tolist()) for point in points]
        return found[: options.first_trials - 1]  # the first is the setting searched from

    def run(self, objective: Objective, budget: Budget, progress: Progress | None = None) -> None:
        """Try settings until the budget is used up; KeyboardInterrupt leaves nothing half told.

        Raises:
            ShelfwiseError: the first trials all failed, so that it is no setting's fault.
        """
        began = time.monotonic()
        lease = Lease(self.folder / "workers")
        try:
            with (progress or Silent()).step("Trials", total=budget.trials) as bar:
                done = 0
                while not _is_over(budget, began):
                    self._try_again_what_was_lost(lease)
                    done = self._told(bar, done)
                    if not self._room(budget) or not self._one(objective, budget, lease):
                        break
                self._told(bar, done)
        finally:
            lease.close()

    def _agree_on_plan(self) -> None:
        mine = json.dumps(self.plan.as_json(), sort_keys=True)
        known = self._study.user_attrs.get(_PLAN)
        if known is None:
            self._study.set_user_attr(_PLAN, mine)
        elif known != mine:
            raise ConfigError(
                "\n".join(
                    [
                        f"study {self.plan.name}: is of another plan; ask for the same, or name "
                        "another folder:",
                        *_differences(json.loads(known), json.loads(mine), ""),
                    ]
                )
            )

    def _enqueue(self, params: Params, ticket: str) -> None:
        tickets = {trial.user_attrs.get(TICKET) for trial in self._study.get_trials(deepcopy=False)}
        if ticket not in tickets:
            self._study.enqueue_trial(self.plan.space.coded(params), {TICKET: ticket})

    def _try_again_what_was_lost(self, lease: Lease) -> None:
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING:
                started = trial.datetime_start
                at = started.timestamp() if started else time.time()
                if lease.is_lost(trial.user_attrs, at):
                    self._give_up(trial, LOST)
            if trial.state == TrialState.FAIL and trial.user_attrs.get(WHY) == LOST:
                self._enqueue(self.plan.space.decoded(trial.params), f"again {trial.number}")

    def _give_up(self, trial: FrozenTrial, why: str) -> None:
        try:
            self._storage.set_trial_user_attr(trial._trial_id, WHY, why)
            self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            return  # another worker saw it first
        self._enqueue(self.plan.space.decoded(trial.params), f"again {trial.number}")

    def _room(self, budget: Budget) -> bool:
        if budget.trials is None:
            return True
        return sum(trial.counts for trial in self.trials()) < budget.trials

    def _is_surplus(self, number: int, ticket: str | None, budget: Budget) -> bool:
        """Whether others had begun enough before it, or the same for the same reason."""
        before = [t for t in self._study.get_trials(deepcopy=False) if t.number < number]
        if ticket is not None and any(t.user_attrs.get(TICKET) == ticket for t in before):
            return True
        counted = [record_of(trial, self.plan.space).counts for trial in before]
        return budget.trials is not None and sum(counted) >= budget.trials

    def _one(self, objective: Objective, budget: Budget, lease: Lease) -> bool:
        """Try one setting; False where there is no new one left."""
        for repeated in range(_SAME_IN_A_ROW + 1):
            if self._is_grid and not self._waits():
                return False
            if repeated == _SAME_IN_A_ROW and not self._enqueue_new():
                return False
            trial = self._study.ask()
            with lease.kept(partial(_say, trial)):
                if self._is_surplus(trial.number, trial.user_attrs.get(TICKET), budget):
                    self._end(trial, TrialState.FAIL, why=SURPLUS)
                    return True
                params = self.plan.space.suggested(trial)
                known = self._known(params)
                if known is not None:
                    _say(trial, SAME_AS, known.number)
                    self._end(trial, TrialState.COMPLETE, known.values)
                    continue
                self._judge(objective, trial, params)
            return True
        return False

    def _waits(self) -> bool:
        trials = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return bool(trials)

    def _known(self, params: Params) -> Trial | None:
        """A trial of the same setting: seeds are fixed, so it would come to the same."""
        same = (trial for trial in self.trials() if trial.params == params)
        return next((trial for trial in same if trial.state == "done"), None)

    def _enqueue_new(self) -> bool:
        """Have a setting tried that nobody has tried; False where there is none."""
        tried = [trial.params for trial in self.trials()]
        axes, number = len(self.plan.space.axes), len(tried)
        points = (
            qmc.Sobol(axes, rng=self.plan.options.seed + number).random_base2(_DRAWS)
            if axes
            else []
        )
        for point in points:
            if (params := self.plan.space.at(point.tolist())) not in tried:
                self._enqueue(params, f"new {number}")
                return True
        return False

    def _judge(self, objective: Objective, trial: optuna.Trial, params: Params) -> None:
        began = time.monotonic()

        def report(step: int, value: float) -> None:
            trial.report(value, step)
            if len(self.plan.rising) == 1 and trial.should_prune():
                raise PrunedError

        try:
            outcome = objective(params, report)
            if any(math.isnan(value) for value in outcome.values):
                raise DataError("validation cannot say how good the setting is: its figure is nan")
        except PrunedError:
            _say(trial, SECONDS, time.monotonic() - began)
            self._end(trial, TrialState.PRUNED)
        except KeyboardInterrupt:
            self._end(trial, TrialState.FAIL, why=LOST)  # so that it is tried again
            raise
        except Exception as error:
            self._failed(trial, error)
        else:
            _say(trial, SECONDS, time.monotonic() - began)
            _say(trial, NOTES, plain(dict(outcome.notes)))
            for name, value in outcome.limits.items():
                trial.set_constraint(name, value)
            self._end(trial, TrialState.COMPLETE, outcome.values)

    def _failed(self, trial: optuna.Trial, error: Exception) -> None:
        """Keep why, and go on with the next: unless none has ever gone well."""
        traces = self.folder / "failures"
        traces.mkdir(parents=True, exist_ok=True)
        trace = "".join(traceback.format_exception(error))
        (traces / f"trial-{trial.number}.txt").write_text(trace, encoding="utf-8")
        self._end(trial, TrialState.FAIL, why=f"{type(error).__name__}: {error}")
        ended = [one for one in self.trials() if one.state in ("done", "pruned", "failed")]
        if len(ended) == _FAILED_AT_FIRST and all(one.state == "failed" for one in ended):
            raise ShelfwiseError(
                f"the first {len(ended)} trials all failed, which is no setting's fault; the last "
                f"one: {error}"
            ) from error

    def _end(
        self,
        trial: optuna.Trial,
        state: TrialState,
        values: Sequence[float] | None = None,
        why: str = "",
    ) -> None:
        try:
            if why:
                trial.set_user_attr(WHY, why)
            self._study.tell(trial, values, state=state)
        except (UpdateFinishedTrialError, ValueError) as error:
            if isinstance(error, ValueError) and "finished" not in str(error):
                raise
            # It was taken for dead, and is tried again elsewhere: that one counts.

    def _told(self, bar: Step, done: int) -> int:
        """Bring the bar to where the study is."""
        trials = self.trials()
        ended = sum(trial.counts and trial.state != "running" for trial in trials)
        bar.advance(ended - done)
        if best := best_of(trials, self.plan.rising):
            shown = ", ".join(f"{value:.4f}" for value in best[0].values)
            bar.note(f"best {shown} by trial {best[0].number}")
        return ended


def _first_value(rising: bool) -> Callable[[FrozenTrial], float]:
    # With a target of its own the evaluator takes low for good.
    return lambda trial: -trial.values[0] if rising else trial.values[0]


def _is_over(budget: Budget, began: float) -> bool:
    late = budget.seconds is not None and time.monotonic() - began >= budget.seconds
    return late or budget.stop()


def _say(trial: optuna.Trial, key: str, value: Any) -> None:
    try:
        trial.set_user_attr(key, value)
    except UpdateFinishedTrialError:
        return  # taken for dead meanwhile


def _differences(known: Any, asked: Any, path: str) -> list[str]:
    if isinstance(known, dict) and isinstance(asked, dict):
        return [
            line
            for key in sorted(known.keys() | asked.keys())
            for line in _differences(known.get(key), asked.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if known == asked else [f"  {path}: {known!r} there, {asked!r} asked for"]
