"""What comes of a trial: judged, stopped early, failed or taken for dead; and how it is told."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from shelfwise.schema.errors import DataError, ShelfwiseError
from shelfwise.schema.plain import plain
from shelfwise.tuning.plan import HopelessError, Objective, Outcome, Plan, PrunedError
from shelfwise.tuning.records import NOTES, PRUNED, SECONDS, WHY, record_of
from shelfwise.tuning.sampler import keeps_pruned
from shelfwise.tuning.space import Params

_FAILED_AT_FIRST = 3  # all of the first trials: then it is no setting's fault


class Verdicts:
    """Ends the trials of a study."""

    def __init__(self, study: optuna.Study, plan: Plan, folder: Path) -> None:
        """Traces of failures go into ``folder``."""
        self._study, self._plan, self._folder = study, plan, folder
        self._keeps_pruned = keeps_pruned(plan.options, plan.space)

    def judge(self, objective: Objective, trial: optuna.Trial, params: Params) -> None:
        """Ask the objective, and end the trial by what it says or raises.

        Raises:
            HopelessError: no setting can do better; the trial is ended as failed.
            ShelfwiseError: the first trials all failed, so that it is no setting's fault.
        """
        began, told = time.monotonic(), [math.nan]

        def report(step: int, value: float, *, last: bool = False) -> None:
            told.append(value)
            trial.report(value, step)
            if not last and trial.should_prune():
                raise PrunedError

        try:
            outcome = objective(params, report)
            if any(math.isnan(value) for value in outcome.values):
                raise DataError("validation cannot say how good the setting is: its figure is nan")
        except PrunedError:
            say(trial, SECONDS, time.monotonic() - began)
            self._end_pruned(trial, told[-1])
        except HopelessError as error:
            self.end(trial, TrialState.FAIL, why=f"{type(error).__name__}: {error}")
            raise
        except UpdateFinishedTrialError:
            raise
        except Exception as error:
            self._failed(trial, error)
        else:
            say(trial, SECONDS, time.monotonic() - began)
            self._end_done(trial, outcome)

    def end(
        self,
        trial: optuna.Trial,
        state: TrialState,
        values: Sequence[float] | None = None,
        why: str = "",
    ) -> None:
        """Tell the study what came of a trial; nothing, where it was taken for dead meanwhile."""
        if why:
            say(trial, WHY, why)
        try:
            self._study.tell(trial, values, state=state)
        except ValueError as error:
            if "finished" not in str(error):
                raise
            # It is tried again elsewhere: that one counts.

    def _end_done(self, trial: optuna.Trial, outcome: Outcome) -> None:
        say(trial, NOTES, plain(dict(outcome.notes)))
        for name, value in outcome.limits.items():
            trial.set_constraint(name, value)
        self.end(trial, TrialState.COMPLETE, outcome.values)

    def _end_pruned(self, trial: optuna.Trial, value: float) -> None:
        """A Gaussian process reads completed trials alone: it is told what was seen last."""
        if not self._keeps_pruned or math.isnan(value):
            self.end(trial, TrialState.PRUNED)
            return
        say(trial, PRUNED, True)
        for name in self._plan.options.at_most:  # as many as others have; not chosen for them
            trial.set_constraint(name, 0.0)
        self.end(trial, TrialState.COMPLETE, [value])

    def _failed(self, trial: optuna.Trial, error: Exception) -> None:
        """Keep why, and go on with the next: unless none has ever gone well."""
        traces = self._folder / "failures"
        traces.mkdir(parents=True, exist_ok=True)
        trace = "".join(traceback.format_exception(error))
        (traces / f"trial-{trial.number}.txt").write_text(trace, encoding="utf-8")
        self.end(trial, TrialState.FAIL, why=f"{type(error).__name__}: {error}")
        found = self._study.get_trials(deepcopy=False)
        states = [record_of(one, self._plan.space).state for one in found]
        ended = [state for state in states if state in ("done", "pruned", "failed")]
        if len(ended) >= _FAILED_AT_FIRST and all(state == "failed" for state in ended):
            raise ShelfwiseError(
                f"the first {len(ended)} trials all failed, which is no setting's fault; the last "
                f"one: {error}"
            ) from error


def say(trial: optuna.Trial, key: str, value: Any) -> None:
    """Write an attribute of a trial; nothing, where it was taken for dead meanwhile."""
    try:
        trial.set_user_attr(key, value)
    except UpdateFinishedTrialError:
        return
