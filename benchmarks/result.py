"""What every benchmark prints: one JSON object of one form (DESIGN, section 7)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
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
    rows: Sequence[Mapping[str, Any]] = ()
    differences: Sequence[Mapping[str, Any]] = ()
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    versions: Mapping[str, str] = field(default_factory=library_versions)

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
