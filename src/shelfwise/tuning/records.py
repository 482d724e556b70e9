"""Trials as plain values: what was tried, what came of it, and why it ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from shelfwise.schema.search import Value
from shelfwise.tuning.space import Space

State = Literal["done", "pruned", "failed", "running", "waiting", "lost", "surplus", "same"]

# What a trial says of itself beside its values. Of a finished one nothing can be changed.
WHY, SAME_AS, SECONDS, NOTES, TICKET = "why", "same_as", "seconds", "notes", "ticket"
PRUNED = "pruned"  # of a trial that the sampler is told of as if it were completed
LOST, SURPLUS = "its worker was killed", "not needed: others had begun as many as were asked for"


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting that was tried."""

    number: int
    state: State
    params: dict[str, Value]
    values: tuple[float, ...]  # one an objective; empty unless done
    costs: dict[str, float]  # what limits are about
    kept: bool  # whether it keeps all limits
    steps: dict[int, float]  # what it said on its way
    seconds: float
    why: str  # it failed, was lost, or is not counted
    ended: str = ""  # UTC
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it is one of those that were asked for."""
        return self.state in ("done", "pruned", "failed", "running")


def record_of(trial: FrozenTrial, space: Space) -> Trial:
    """A trial of Optuna's in our words."""
    told, state = trial.user_attrs, state_of(trial)
    limits = trial.constraints
    return Trial(
        number=trial.number,
        state=state,
        params=space.decoded(trial.params),
        values=tuple(trial.values or ()) if state in ("done", "same") else (),
        costs=dict(told.get(NOTES, {}).get("costs", {})),
        kept=all(value <= 0 for value in limits.values()),
        steps=dict(sorted(trial.intermediate_values.items())),
        seconds=float(told.get(SECONDS, math.nan)),
        why=told.get(WHY, ""),
        ended=_utc(trial.datetime_complete),
        notes=dict(told.get(NOTES, {})),
    )


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""


def state_of(trial: FrozenTrial) -> State:
    """What became of it."""
    why = trial.user_attrs.get(WHY)
    if SAME_AS in trial.user_attrs:
        return "same"
    match trial.state:
        case TrialState.COMPLETE:
            return "pruned" if PRUNED in trial.user_attrs else "done"
        case TrialState.PRUNED:
            return "pruned"
        case TrialState.RUNNING:
            return "running"
        case TrialState.WAITING:
            return "waiting"
    if why == LOST:
        return "lost"
    return "surplus" if why == SURPLUS else "failed"


def best_of(trials: Sequence[Trial], rising: Sequence[bool]) -> list[Trial]:
    """Done trials that keep the limits and that no other beats in every objective.

    With one objective that is the best alone, the earliest of equals.
    """
    fit = [trial for trial in trials if trial.state == "done" and trial.kept]
    if len(rising) == 1:
        sign = 1 if rising[0] else -1
        return [max(fit, key=lambda t: (sign * t.values[0], -t.number))] if fit else []
    return [one for one in fit if not any(_beats(other, one, rising) for other in fit)]


def _beats(a: Trial, b: Trial, rising: Sequence[bool]) -> bool:
    gains = [
        (x - y) if up else (y - x) for x, y, up in zip(a.values, b.values, rising, strict=True)
    ]
    return min(gains) >= 0 and (max(gains) > 0 or a.number < b.number)


def knee_of(front: Sequence[Trial], rising: Sequence[bool]) -> Trial | None:
    """The point of a front after which a little more of one costs much of the others.

    With every objective brought to 0 (worst of the front) to 1 (best of it), the one nearest to
    where all are best.
    """
    if not front:
        return None
    columns = list(zip(*(trial.values for trial in front), strict=True))
    spans = [(min(column), max(column)) for column in columns]

    def distance(trial: Trial) -> tuple[float, int]:
        total = 0.0
        for value, (low, high), up in zip(trial.values, spans, rising, strict=True):
            if high > low:
                missing = (high - value) if up else (value - low)
                total += (missing / (high - low)) ** 2
        return total, trial.number

    return min(front, key=distance)
