"""What every benchmark prints: one JSON object of one form (DESIGN, section 7)."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shelfwise.schema.manifest import library_versions


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark's figures, with what they rest on."""

    benchmark: str
    protocol: str
    data: Mapping[str, Any]  # name, fingerprint, counts
    figures: Mapping[str, float | None]
    seconds: float
    peak_mib: float
    # system, view, task, metric, value, low, high, seeds, support; or system, failed
    rows: Sequence[Mapping[str, Any]] = ()
    differences: Sequence[Mapping[str, Any]] = ()  # a, b, view, metric, value, low, high, seeds
    systems: Sequence[Mapping[str, Any]] = ()  # system, settings, seconds, ...: how each was run
    notes: Sequence[str] = ()  # what the reader must know to read the figures right
    section: str = ""  # of docs/benchmarks.md, where a benchmark has several; else its own name
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    machine: str = field(default_factory=lambda: processor())
    versions: Mapping[str, str] = field(default_factory=library_versions)

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak_mib() -> float:
    """Most memory that this process had at once."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
