"""How a training is run: who watches, what is kept of it, whether it is timed.

None of it changes what comes out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from shelfwise.data.prepared import Prepared, PreparedShop
from shelfwise.models.config import ModelOptions
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Progress
from shelfwise.training.checkpoint import (
    Checkpoints,
    forget_checkpoints,
    made_of,
    resuming_folder,
    step_reached,
)
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.fit import Watchers
from shelfwise.training.phases import Phases, Timed
from shelfwise.training.tracking import tracker_of

Phase = Literal["fit", "refit"]


@dataclass(frozen=True, slots=True)
class Resuming:
    """Where a training's checkpoints are, and what they must be of."""

    out: Path
    minutes: float  # 0: none are written
    made_of: dict[str, Any]

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        out: Path,
        course: Course,
        *,
        model: ModelOptions,
        train: TrainOptions,
    ) -> Resuming:
        """Decide what becomes of checkpoints that lie beside ``out``.

        Raises:
            ConfigError: there are some, and nobody has said whether to go on from them; or what is
                learned from knows no checkpoints or is not timed.
        """
        _refuse_what_shops_alone_can(prepared, course, train)
        reached = unfinished_step(out)
        if course.unfinished == "refuse" and reached is not None:
            raise ConfigError(
                f"{resuming_folder(out)}: holds a training that was stopped after step {reached}; "
                "go on with it by --resume, or start over by --anew"
            )
        if course.unfinished == "anew":
            forget_checkpoints(out)
        told = made_of(
            prepared.manifest.data_fingerprint,
            model=model.model_dump(mode="json"),
            train=train.model_dump(mode="json"),
            tasks=course.tasks.model_dump(mode="json"),
            adaptation=course.adaptation.model_dump(mode="json"),
            begin={"folder": str(course.begin) if course.begin else None},
        )
        return cls(out, train.checkpoint_minutes, told)

    @property
    def adapted_folder(self) -> Path:
        """Where the adapted encoder stays until the run is complete."""
        return resuming_folder(self.out) / "adapted"

    def checkpoints(self, phase: Phase) -> Checkpoints | None:
        """The checkpoint of a phase; None where none is wanted."""
        if not self.minutes:
            return None
        path = resuming_folder(self.out) / f"{phase}.safetensors"
        return Checkpoints(path, self.made_of, self.minutes)

    def forget(self) -> None:
        """The run is complete: nothing is left to go on with."""
        forget_checkpoints(self.out)


@dataclass(slots=True)
class Manner:
    """How the phases of a training are run."""

    progress: Progress
    resuming: Resuming
    options: TrainOptions
    phases: Phases
    _seconds: float = field(init=False, default=0.0)
    _resumed: dict[str, int] = field(init=False, default_factory=dict)

    @contextmanager
    def watching(self, phase: Phase) -> Iterator[Watchers]:
        """Those who watch ``phase``, which is the block."""
        kept = self.resuming.checkpoints(phase)
        began = time.monotonic()
        with tracker_of(self.options, self.resuming.out, phase) as tracker:
            yield Watchers(self.progress, tracker, kept)
        self._seconds += time.monotonic() - began
        if kept is not None and kept.resumed_at:
            self._resumed[phase] = kept.resumed_at

    def facts(self) -> dict[str, Any]:
        """What the run remembers of it: the step it was taken up at, and where the time went."""
        found: dict[str, Any] = {}
        if self._resumed:
            found["resumed_at_step"] = self._resumed
        if isinstance(self.phases, Timed):
            found["profile"] = self.phases.table(self._seconds)
        return found


def unfinished_step(out: Path) -> int | None:
    """The step that a killed training of ``out`` can go on from; None where there is none."""
    folder = resuming_folder(out)
    steps = [step_reached(path) for path in sorted(folder.glob("*.safetensors"))]
    return max((step for step in steps if step is not None), default=None)


def _refuse_what_shops_alone_can(prepared: Prepared, course: Course, train: TrainOptions) -> None:
    if isinstance(prepared, PreparedShop):
        return
    plain = TrainOptions()
    asked = {
        "--from": course.begin is not None,
        "--resume": course.unfinished == "resume",
        "--profile": course.profile,
        "adaptation.kind=on": course.adaptation.kind == "on",
        "train.accumulate": train.accumulate != plain.accumulate,
        "train.ema": train.ema != plain.ema,
        "train.doubt": train.doubt != plain.doubt,
        "train.track": train.track != plain.track,
        "train.refit": train.refit != plain.refit,
    }
    refused = [name for name, is_asked in asked.items() if is_asked]
    if refused:
        raise ConfigError(
            f"{prepared.folder}: has no log of behaviour, and {', '.join(refused)} is for those "
            "that have one; leave it out"
        )
