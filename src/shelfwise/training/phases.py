"""Where the time of a training step goes: seconds by named phase."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch


class Phases(Protocol):
    """Told when a phase of the work begins and ends; one may lie within another."""

    def __call__(self, name: str) -> AbstractContextManager[None]: ...


class Untimed:
    """Nobody asked: next to no cost."""

    def __call__(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()


@dataclass(frozen=True, slots=True)
class Timed:
    """Adds up the seconds of each phase, less those of the phases within it.

    On a GPU it waits for what a phase has asked for.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    _within: list[float] = field(default_factory=list)  # seconds of inner phases, by open phase

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._within.append(0.0)
        began = self._now()
        try:
            yield
        finally:
            whole = self._now() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + whole - self._within.pop()
            self.times[name] = self.times.get(name, 0) + 1
            if self._within:
                self._within[-1] += whole

    def _now(self) -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()

    def table(self, total: float) -> list[dict[str, Any]]:
        """Phases with their seconds, share of ``total`` seconds and calls, the longest first.

        What no phase accounts for is the row "other".
        """
        rows = [(name, self.seconds[name], self.times[name]) for name in self.seconds]
        rows.append(("other", max(0.0, total - sum(self.seconds.values())), 0))
        return [
            {
                "phase": name,
                "seconds": round(seconds, 3),
                "share": round(seconds / total, 4) if total > 0 else 0.0,
                "times": times,
            }
            for name, seconds, times in sorted(rows, key=lambda row: -row[1])
        ]
