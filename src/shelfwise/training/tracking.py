"""Figures of a training under way, for whoever draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
        """Raises ConfigError: the library is not installed."""
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                'train.track: "tensorboard" needs the library of that name; install it with: '
                'pip install "shelfwise[track]"'
            ) from error
        self._writer = SummaryWriter(str(folder))  # type: ignore[no-untyped-call]  # torch

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)  # type: ignore[no-untyped-call]  # torch

    def close(self) -> None:
        """Write what is still held back."""
        self._writer.close()  # type: ignore[no-untyped-call]  # torch


def tracking_folder(out: Path) -> Path:
    """Where the figures of the run ``out`` are: beside it, since a run's own files are sealed."""
    return out.with_name(f"{out.name}.tensorboard")


@contextmanager
def tracker_of(options: TrainOptions, out: Path) -> Iterator[Tracker]:
    """The tracker that the options ask for, closed when the block ends."""
    match options.track:
        case "none":
            yield NoTracker()
        case "tensorboard":
            board = TensorBoard(tracking_folder(out))
            try:
                yield board
            finally:
                board.close()
