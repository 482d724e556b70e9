"""What a training is asked for beside its network and its pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from shelfwise.training.adaptation.options import AdaptationOptions, NoAdaptation
from shelfwise.training.remembered import Remembered
from shelfwise.training.tasks_config import TaskOptions

# Told of each look at validation: which one, from 1, and its score. It may raise, to stop training.
Told = Callable[[int, float], None]


def tell_nobody(check: int, score: float) -> None:
    """Nobody asked."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is learned, and where it begins."""

    tasks: TaskOptions = field(default_factory=TaskOptions)
    # Whether the text encoder learns the shop's language first.
    adaptation: AdaptationOptions = field(default_factory=NoAdaptation)
    # A run to begin from. Tasks that it has not learned are learned on top of it, and nothing else
    # of it changes; where there is none, all of it learns further.
    begin: Path | None = None
    # Where a training that was killed left checkpoints: go on from them, start over, or ask.
    unfinished: Literal["refuse", "resume", "anew"] = "refuse"
    # Whether the run's facts say how long each phase of a step took.
    profile: bool = False
    told: Told = tell_nobody
    # Whether the run is to answer searches; one that is only judged needs no vectors of all items.
    answers: bool = True
    # Where trainings follow each other: what the last one found that the next can take.
    remembered: Remembered = field(default_factory=Remembered)
