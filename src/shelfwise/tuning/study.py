"""A search: trials asked for, judged and kept, by one worker or many, through kills and stops.

Workers share nothing but the storage. Each asks for a trial, judges it, and tells what came of it;
a trial whose worker was killed is tried again by whoever comes next.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import qmc

from shelfwise.schema.progress import Progress, Silent, Step
from shelfwise.schema.search import Value
from shelfwise.tuning.lease import Lease
from shelfwise.tuning.plan import (
    Budget,
    Objective,
    Plan,
    Worker,
)
from shelfwise.tuning.records import (
    LOST,
    PRUNED,
    SAME_AS,
    SURPLUS,
    TICKET,
    WHY,
    Trial,
    best_of,
    record_of,
)
from shelfwise.tuning.sampler import pruner_of, sampler_name, sampler_of
from shelfwise.tuning.space import Params
from shelfwise.tuning.verdicts import Verdicts, say

_PLAN, _OPENED = "plan", "opened"
_WORKER_STRIDE, _RESUMED_STRIDE = 7_919, 104_729  # primes: their sums do not meet
_SAME_IN_A_ROW = 5  # suggestions already tried, after which one that is new is drawn
_DRAWS = 8  # as a power of two
_LOOK_AGAIN = 1.0  # seconds


class Study:
    """A search that is open: what was tried, and more of it."""

    def __init__(
        self, plan: Plan, storage: BaseStorage, folder: Path, worker: Worker | None = None
    ) -> None:
        """Open it, or begin it.

        Args:
            plan: what it is; the same plan in the same storage is the same study.
            storage: where its trials are.
            folder: where its workers' locks and the traces of failures lie.
            worker: who works; each draws for itself.
        """
        self.plan, self.folder = plan, folder
        self._storage, worker = storage, worker or Worker()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        options = plan.options
        self._study = optuna.create_study(
            storage=storage,
            study_name=plan.name,
            directions=["maximize" if up else "minimize" for up in plan.rising],
            pruner=pruner_of(options, plan.steps),
            load_if_exists=True,
        )
        # One that goes on, and each worker, is to draw what was not drawn before.
        begun = len(self._study.get_trials(deepcopy=False))
        seed = options.seed + _WORKER_STRIDE * worker.number + _RESUMED_STRIDE * begun
        seed += zlib.crc32(worker.machine.encode())
        self._study.sampler = sampler_of(options, plan.space, seed % 2**32)
        self._is_grid = sampler_name(options, plan.space) == "grid"
        self._verdicts = Verdicts(self._study, plan, folder)
        if _PLAN not in self._study.user_attrs:
            self._study.set_user_attr(_PLAN, json.dumps(plan.as_json(), sort_keys=True))

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

    @property
    def opened(self) -> dict[str, Any] | None:
        """What was written when the test was opened; None where it is shut."""
        told = self._study.user_attrs.get(_OPENED)
        return None if told is None else dict(json.loads(told))

    def open(self, told: dict[str, Any]) -> dict[str, Any]:
        """Write that the test is opened, for all workers to see: no trial begins from now on.

        Returns what stands there: another worker may have been first.
        """
        if (known := self.opened) is not None:
            return known
        self._study.set_user_attr(_OPENED, json.dumps(told))
        return told

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
        began, done, clean = time.monotonic(), 0, False
        lease = Lease(self.folder / "workers")
        try:
            with (progress or Silent()).step("Trials", total=budget.trials) as bar:
                while not _is_over(budget, began) and self.opened is None:
                    self._try_again_what_was_lost(lease)
                    done = self._told(bar, done)
                    if not self._room(budget) or not self._one(objective, budget, lease):
                        break
                self._told(bar, done)
            clean = True
        finally:
            lease.close(clean=clean)

    def settle(self, progress: Progress | None = None) -> bool:
        """Wait until nobody works on a trial; whether some were lost, and are to be tried again."""
        lease, lost = Lease(self.folder / "workers"), 0
        try:
            with (progress or Silent()).step("Waiting for trials of others") as bar:
                while True:
                    lost += self._try_again_what_was_lost(lease)
                    running = sum(trial.state == "running" for trial in self.trials())
                    if not running:
                        return lost > 0
                    bar.note(f"{running} under way")
                    time.sleep(_LOOK_AGAIN)
        finally:
            lease.close(clean=True)

    def _enqueue(self, params: Params, ticket: str) -> None:
        known = self._study.get_trials(deepcopy=False)
        if ticket not in {trial.user_attrs.get(TICKET) for trial in known}:
            self._study.enqueue_trial(self.plan.space.coded(params), {TICKET: ticket})

    def _try_again_what_was_lost(self, lease: Lease) -> int:
        """Have trials of dead workers tried again; how many are found now."""
        lost = 0
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING:
                started = trial.datetime_start
                at = started.timestamp() if started else time.time()
                if lease.is_lost(trial.user_attrs, at):
                    lost += self._give_up(trial)
            elif trial.state == TrialState.FAIL and trial.user_attrs.get(WHY) == LOST:
                self._enqueue(self.plan.space.decoded(trial.params), f"again {trial.number}")
        return lost

    def _give_up(self, trial: FrozenTrial) -> bool:
        try:
            self._storage.set_trial_user_attr(trial._trial_id, WHY, LOST)
            self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            return False  # another worker saw it first
        self._enqueue(self.plan.space.decoded(trial.params), f"again {trial.number}")
        return True

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
            try:
                with lease.kept(partial(say, trial)):
                    if self._tried(trial, objective, budget):
                        return True
            except UpdateFinishedTrialError:
                return True  # it was taken for dead, and is tried again elsewhere: that one counts
            except KeyboardInterrupt:
                self._verdicts.end(trial, TrialState.FAIL, why=LOST)  # so that it is tried again
                raise
        return False

    def _tried(self, trial: optuna.Trial, objective: Objective, budget: Budget) -> bool:
        """Judge a trial; False where its setting is known, so that another one is to be asked."""
        if self._is_surplus(trial.number, trial.user_attrs.get(TICKET), budget):
            self._verdicts.end(trial, TrialState.FAIL, why=SURPLUS)
            return True
        params = self.plan.space.suggested(trial)
        known = self._known(params, trial.number)
        if known is not None:
            self._end_as(trial, known)
            return False
        self._verdicts.judge(objective, trial, params)
        return True

    def _waits(self) -> bool:
        trials = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return bool(trials)

    def _known(self, params: Params, number: int) -> Trial | None:
        """A trial of the same setting: seeds are fixed, so it would come to the same."""
        before = (trial for trial in self.trials() if trial.number != number and trial.counts)
        same = [trial for trial in before if trial.params == params]
        # Of two that run at once, the later one gives way.
        return next((t for t in same if t.state != "running" or t.number < number), None)

    def _end_as(self, trial: optuna.Trial, known: Trial) -> None:
        """Tell the sampler of a known setting what it came to; it does not count again."""
        say(trial, SAME_AS, known.number)
        first = self._study.get_trials(deepcopy=False)[known.number]
        if first.state != TrialState.COMPLETE:
            self._verdicts.end(trial, TrialState.FAIL, why=f"as trial {known.number}")
            return
        if PRUNED in first.user_attrs:
            say(trial, PRUNED, True)
        if len(self.plan.rising) == 1:
            for step, value in first.intermediate_values.items():
                trial.report(value, step)
        for name, value in first.constraints.items():
            trial.set_constraint(name, value)
        self._verdicts.end(trial, TrialState.COMPLETE, first.values)

    def _enqueue_new(self) -> bool:
        """Have a setting tried that nobody has tried; False where there is none."""
        tried = [trial.params for trial in self.trials()]
        axes, number = len(self.plan.space.axes), len(tried)
        seed = self.plan.options.seed + number
        points = qmc.Sobol(axes, rng=seed).random_base2(_DRAWS) if axes else []
        for point in points:
            if (params := self.plan.space.at(point.tolist())) not in tried:
                self._enqueue(params, f"new {number}")
                return True
        return False

    def _told(self, bar: Step, done: int) -> int:
        """Bring the bar to where the study is."""
        trials = self.trials()
        ended = sum(trial.counts and trial.state != "running" for trial in trials)
        bar.advance(ended - done)
        if best := best_of(trials, self.plan.rising):
            shown = ", ".join(f"{value:.4f}" for value in best[0].values)
            bar.note(f"best {shown} by trial {best[0].number}")
        return ended


def _is_over(budget: Budget, began: float) -> bool:
    late = budget.seconds is not None and time.monotonic() - began >= budget.seconds
    return late or budget.stop()
