"""What a setting comes to: trained without the test, judged by validation."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from shelfwise.data.prepared import Prepared, PreparedShop
from shelfwise.evaluation.pieces import Setting
from shelfwise.evaluation.tuning.costs import latency_ms, memory_mib
from shelfwise.evaluation.tuning.lessons import Stage, stages_of
from shelfwise.schema.progress import Silent
from shelfwise.schema.run_files import CURVE
from shelfwise.training.course import Told, tell_nobody
from shelfwise.training.remembered import Remembered
from shelfwise.training.train import train
from shelfwise.tuning.config import COSTS, LOW_IS_GOOD, TuneOptions
from shelfwise.tuning.plan import HopelessError, Outcome, Report
from shelfwise.tuning.sampler import step_of_stage
from shelfwise.tuning.space import Params, Space

Configured = Callable[[Sequence[str]], Setting]  # options with some settings on top
SCORE = "score"


@dataclass(frozen=True, slots=True)
class Trials:
    """Trains a setting and says how good it is; the objective of a search over a shop."""

    prepared: Prepared
    folder: Path  # for runs under way
    configured: Configured
    options: TuneOptions
    space: Space
    remembered: Remembered = field(default_factory=Remembered)  # by the next trial

    def __call__(self, params: Params, report: Report) -> Outcome:
        setting = self.configured(self.space.settings(params))
        stages = stages_of(self.prepared, self.options)
        by_checks = len(stages) == 1 and self.options.objectives == (SCORE,)
        found: list[dict[str, float]] = []
        for place, stage in enumerate(stages):
            found.append(self._trained(setting, stage, report if by_checks else tell_nobody))
            if len(stages) > 1 and len(self.options.objectives) == 1:
                value = self._figure(found[-1], self.options.objectives[0])
                step = place if self.options.folds else step_of_stage(place)
                report(step, value, last=place == len(stages) - 1)
        figures = _mean(found) if self.options.folds else found[-1]
        limits = {
            name: self._figure(figures, name) - most
            for name, most in sorted(self.options.at_most.items())
        }
        return Outcome(
            values=tuple(self._figure(figures, name) for name in self.options.objectives),
            limits=limits,
            notes={"figures": figures, "costs": {n: figures[n] for n in COSTS if n in figures}},
        )

    @property
    def rising(self) -> tuple[bool, ...]:
        """Whether each objective is to be high."""
        return tuple(name not in LOW_IS_GOOD for name in self.options.objectives)

    @property
    def steps(self) -> int:
        """Checks or stages that a trial tells of at most."""
        stages = len(stages_of(self.prepared, self.options))
        train = self.configured(()).train
        return stages if stages > 1 else train.epochs * train.checks_per_epoch

    def _figure(self, figures: dict[str, float], name: str) -> float:
        if name not in figures:
            raise HopelessError(
                f"tune.objectives: validation of this shop has no {name!r}; it has "
                f"{', '.join(sorted(figures))}"
            )
        return figures[name]

    @property
    def _wanted(self) -> set[str]:
        """Figures that are searched for or limited."""
        return {*self.options.objectives, *self.options.at_most}

    def _trained(self, setting: Setting, stage: Stage, told: Told) -> dict[str, float]:
        # Where the clock ends trainings, a share of the users gets that share of the time.
        minutes = setting.train.minutes * stage.share
        options = setting.train.model_copy(
            update={"refit": False, "checkpoint_minutes": 0, "track": "none", "minutes": minutes}
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        place = Path(mkdtemp(prefix="trial-", dir=self.folder))
        try:
            began = time.monotonic()
            # What a server would hold of the run is all that asks for the vectors of all items.
            answers = "memory_mib" in self._wanted
            course = replace(setting.course, told=told, remembered=self.remembered, answers=answers)
            train(stage.view(), place / "run", setting.model, options, Silent(), course)
            seconds = time.monotonic() - began
            return self._figures(place / "run") | {"seconds": seconds}
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _figures(self, run: Path) -> dict[str, float]:
        curve: dict[str, Any] = json.loads((run / CURVE).read_text(encoding="utf-8"))
        best = max(curve["checks"], key=lambda check: _known(check["score"]))
        figures = {SCORE: _known(best["score"], float("nan"))}
        figures |= {name: v for name, v in best["figures"].items() if v is not None}
        if "memory_mib" in self._wanted:
            figures["memory_mib"] = memory_mib(run)
        if "latency_ms" in self._wanted:
            if not isinstance(self.prepared, PreparedShop):
                raise HopelessError("tune: latency_ms is of shops with a log of behaviour")
            figures["latency_ms"] = latency_ms(run)
        return figures


def _known(score: float | None, instead: float = float("-inf")) -> float:
    return instead if score is None else score


def _mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    names = [name for name in found[0] if all(name in one for one in found)]
    return {name: sum(one[name] for one in found) / len(found) for name in names}
