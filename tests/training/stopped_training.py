"""A training that is stopped at a step: by an exception, or as a program of its own by SIGKILL."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shelfwise.data.prepared import open_prepared
from shelfwise.models.config import ModelOptions
from shelfwise.schema.progress import Step
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.train import train

Where = tuple[int, int]  # which of the bars called Training, and how far it is


class StoppedError(Exception):
    """The training got to where it was to be stopped."""


class StoppingAt:
    """Progress that calls ``stop`` when a training's bar stands somewhere."""

    def __init__(self, where: Where, stop: Callable[[], None]) -> None:
        self._where = where
        self._stop = stop
        self._bars = 0

    @contextmanager
    def step(self, description: str, total: float | None = None) -> Iterator[Step]:  # noqa: ARG002
        if description != "Training":
            yield _Bar(-1, self._stop)
            return
        bar, at = self._where
        yield _Bar(at if self._bars == bar else -1, self._stop)
        self._bars += 1


class _Bar:
    def __init__(self, at: int, stop: Callable[[], None]) -> None:
        self._at = at
        self._stop = stop
        self._reached = 0

    def advance(self, amount: float = 1) -> None:
        self._reached += int(amount)
        if self._reached == self._at:
            self._stop()

    def note(self, text: str) -> None:
        pass


def stop() -> None:
    raise StoppedError


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """PREPARED OUT MODEL TRAIN BAR STEP: resumes, and dies when bar BAR stands at STEP."""
    prepared, out, model, options = sys.argv[1:5]
    where = (int(sys.argv[5]), int(sys.argv[6]))
    train(
        open_prepared(Path(prepared)),
        Path(out),
        ModelOptions.model_validate_json(model),
        TrainOptions.model_validate_json(options),
        StoppingAt(where, _kill),
        Course(unfinished="resume"),
    )


if __name__ == "__main__":
    main()
