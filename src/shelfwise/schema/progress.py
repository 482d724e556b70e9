"""How long work tells its watcher where it is, without knowing who watches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """A piece of work under way."""

    def advance(self, amount: float = 1) -> None: ...

    def note(self, text: str) -> None:
        """Show ``text`` beside the bar, replacing the last note."""


class Progress(Protocol):
    """Opens a step for each piece of work that may take more than two seconds."""

    def step(self, description: str, total: float | None = None) -> AbstractContextManager[Step]:
        """Show ``description`` until the block ends; ``total`` None means unknown length."""


class _SilentStep:
    def advance(self, amount: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class Silent:
    """Progress that nobody watches: the default of every library function."""

    @contextmanager
    def step(self, description: str, total: float | None = None) -> Iterator[Step]:  # noqa: ARG002
        yield _SilentStep()
