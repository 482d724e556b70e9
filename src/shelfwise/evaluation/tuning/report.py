"""What a search found, in numbers and in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from shelfwise.evaluation.compare_report import CompareReport
from shelfwise.evaluation.report import DataSummary
from shelfwise.evaluation.report_words import figure
from shelfwise.metrics.spearman import spearman
from shelfwise.schema.plain import plain
from shelfwise.tuning.gain import Gain
from shelfwise.tuning.records import Trial, best_of
from shelfwise.tuning.sampler import step_of_stage

_LEAST_TO_COMPARE = 5
_SURE = ("better", "worse")


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Whether a cheap look orders settings as the whole training does."""

    name: str  # of the stage
    spearman: float  # of its figure and the last one's, over trials that have both
    trials: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The one look at the test: for which trial, and after how many were over."""

    trial: int
    after_trials: int
    last_trial_ended: str  # UTC, as all times here
    opened: str
    by: str  # machine and folder


@dataclass(frozen=True, slots=True)
class TuneReport:
    """Everything a search says; `as_json` is the stable form."""

    protocol: str
    data: DataSummary
    objectives: list[str]
    rising: list[bool]
    sampler: str
    pruner: str
    space: list[dict[str, Any]]
    stages: list[str]
    trials: list[Trial]
    searched_from: int | None  # number of the trial of the setting that was searched from
    chosen: int | None
    settings: list[str]  # of the chosen trial, as --set takes them
    importance: dict[str, float]
    gain: Gain | None
    fidelities: list[Fidelity]
    opened: Opened | None = None
    test: CompareReport | None = None
    notes: list[str] = field(default_factory=list)
    reproduce: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def trial(self, number: int | None) -> Trial | None:
        """A trial by its number."""
        return next((trial for trial in self.trials if trial.number == number), None)

    @property
    def front(self) -> list[Trial]:
        """The best trial, or those that none beats in every objective."""
        return best_of(self.trials, self.rising)

    def counted(self, *states: str) -> int:
        """Trials that ended so."""
        return sum(trial.state in states for trial in self.trials)

    @property
    def sentences(self) -> list[str]:
        """What a reader wants first."""
        return [*self._chosen_words(), *self._gain_words(), *self._test_words()]

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null."""
        told = {name: getattr(self, name) for name in self.__slots__}
        told["trials"] = [asdict(trial) for trial in self.trials]
        told["test"] = None if self.test is None else self.test.as_json()
        for name in ("data", "gain", "opened"):
            told[name] = None if told[name] is None else asdict(told[name])
        told["fidelities"] = [asdict(one) for one in self.fidelities]
        told["front"] = [trial.number for trial in self.front]
        found: dict[str, Any] = plain({"benchmark": "tune", "sentences": self.sentences, **told})
        return found

    def _chosen_words(self) -> list[str]:
        chosen, first = self.trial(self.chosen), self.trial(self.searched_from)
        if chosen is None:
            return ["No trial was completed within the limits, so nothing is chosen."]
        told = ", ".join(
            f"{name} {figure(value, 4)}"
            for name, value in zip(self.objectives, chosen.values, strict=True)
        )
        words = f"Chosen by validation: trial {chosen.number} ({told})"
        if chosen.number == self.searched_from:
            return [f"{words}, the setting that was searched from: none better was found."]
        if first is None or not first.values:
            return [f"{words}."]
        were = ", ".join(figure(value, 4) for value in first.values)
        return [f"{words}; the setting that was searched from had {were}."]

    def _gain_words(self) -> list[str]:
        if self.gain is None:
            return []
        return [
            f"Further trials: the next one is expected to add {self.gain.next_trial:.4f}, and the "
            f"best of the whole space {self.gain.in_all:.4f} on validation."
        ]

    def _test_words(self) -> list[str]:
        if self.test is None:
            return []
        first, *others = self.test.comparisons
        return [one.sentence for one in (first, *others) if one is first or one.outcome in _SURE]


def fidelities_of(trials: Sequence[Trial], stages: Sequence[str]) -> list[Fidelity]:
    """Each stage but the last against the last, over trials that went all the way.

    Only those that were promoted have both, which makes the figure lower than it would be of all.
    """
    found = []
    whole = [trial for trial in trials if trial.state == "done" and len(trial.steps) == len(stages)]
    for place, name in enumerate(stages[:-1]):
        early = np.array([trial.steps[step_of_stage(place)] for trial in whole])
        last = np.array([trial.steps[step_of_stage(len(stages) - 1)] for trial in whole])
        known = len(whole) >= _LEAST_TO_COMPARE
        value = spearman(early, last).value if known else math.nan
        found.append(Fidelity(name, value, len(whole)))
    return found


def reasons(trials: Sequence[Trial]) -> Mapping[str, list[int]]:
    """Why trials failed, with their numbers."""
    found: dict[str, list[int]] = {}
    for trial in trials:
        if trial.state == "failed":
            found.setdefault(trial.why, []).append(trial.number)
    return found
