"""What the command line of a benchmark says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers_loading import ROOT
from shelfwise.schema.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Asking:
    """On what, for how long, and which systems."""

    data: Path
    seeds: int = 1
    minutes: float = 10.0  # of learning, for each system and seed
    systems: tuple[str, ...] = ()  # empty: all
    settings: tuple[str, ...] = ()  # section.key=value, over shop.toml
    scripts: Path = ROOT / "benchmarks/peers"  # rank_NAME.py, ..., of each peer
    environments: Path = ROOT / ".venv-peers"  # where `make peers` puts them
    keep: Path | None = None  # a folder for what each run came to, as it ends

    def wants(self, *names: str) -> bool:
        """Whether one of a system's names was asked for."""
        return not self.systems or any(name in self.systems for name in names)

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Stop before anything is run, where a system is misspelt."""
        unknown = [name for name in self.systems if name not in known]
        if unknown:
            raise ConfigError(f"--systems: no {', '.join(unknown)}; known are {', '.join(known)}")
