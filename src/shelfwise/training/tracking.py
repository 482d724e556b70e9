"""Figures of a training under way, for whoever draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from shelfwise.schema.errors import ConfigError
from shelfwise.training.config import TrainOptions


class Tracker(Protocol):
    """Is given numbers by name as training goes."""

    def log(self, step: int, figures: Mapping[str, float]) -> None: ...


class NoTracker:
    """Nobody draws."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        pass


class TensorBoard:
    """Writes event files that `tensorboard --logdir` shows."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is still held back."""
        self._writer.close()


def tracking_folder(out: Path) -> Path:
    """Where the figures of the run ``out`` are: beside it, since a run's own files are sealed."""
    out = out.resolve()
    return out.with_name(f"{out.name}.tensorboard")


def refuse_missing_library(options: TrainOptions) -> None:
    """Raises ConfigError: the options ask for a tracker whose library is not installed."""
    if options.track == "tensorboard" and find_spec("tensorboard") is None:
        raise ConfigError(
            'train.track: "tensorboard" needs the library of that name; install it with: '
            'pip install "shelfwise[track]"'
        )


@contextmanager
def tracker_of(options: TrainOptions, out: Path, phase: str) -> Iterator[Tracker]:
    """The tracker that the options ask for, closed when the block ends.

    Each phase has curves of its own: a refit's steps would be drawn over those of the fit.
    """
    match options.track:
        case "none":
            yield NoTracker()
        case "tensorboard":
            board = TensorBoard(tracking_folder(out) / phase)
            try:
                yield board
            finally:
                board.close()
