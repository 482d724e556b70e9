"""What a search is, how long it goes on, and what a trial says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shelfwise.schema.errors import ShelfwiseError
from shelfwise.schema.manifest import fingerprint_of
from shelfwise.schema.plain import plain
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.sampler import sampler_name
from shelfwise.tuning.space import Params, Space


class PrunedError(Exception):
    """The pruner says that this trial is not worth its time."""


class HopelessError(ShelfwiseError):
    """What is wrong is no setting's fault: the search stops."""


class Report(Protocol):
    """Told of a trial on its way; raises `PrunedError` where it is to stop.

    ``last``: nothing is left to be saved, so it is kept and never stopped.
    """

    def __call__(self, step: int, value: float, *, last: bool = False) -> None: ...


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

    space: Space
    rising: tuple[bool, ...]  # whether an objective is to be high, each
    options: TuneOptions
    steps: int = 1  # that a trial tells of at most
    facts: Mapping[str, Any] = field(default_factory=dict)  # what else must be the same

    @property
    def name(self) -> str:
        """The study's name in its storage: another plan is another study."""
        return f"shelfwise-{fingerprint_of(self.as_json())[:16]}"

    def as_json(self) -> dict[str, Any]:
        """Plain values; what may change between calls, such as seeds of the end, is left out."""
        kept = self.options.model_dump(mode="json", exclude={"seeds"})
        told: dict[str, Any] = plain(
            {
                "space": self.space.as_json(),
                "rising": list(self.rising),
                "steps": self.steps,
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


@dataclass(frozen=True, slots=True)
class Worker:
    """Which of those who work at a study; no two of one study may be alike."""

    number: int = 0  # on its machine
    machine: str = ""  # empty where only one has the storage
