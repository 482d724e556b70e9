"""What a training is asked for beside its network and its pace."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from shelfwise.training.tasks_config import TaskOptions


@dataclass(frozen=True, slots=True)
class Course:
    """What is learned, and where it begins."""

    tasks: TaskOptions = field(default_factory=TaskOptions)
    # A run to begin from. Tasks that it has not learned are learned on top of it, and nothing else
    # of it changes; where there is none, all of it learns further.
    begin: Path | None = None
