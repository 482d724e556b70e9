"""Runs put together to systems: equal options and other seeds are one system, tried several times.

What a system is worth is its mean over seeds; a single seed may have been lucky.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shelfwise.schema.manifest import Manifest

# Where a run was trained, and on how many threads, is not what it is.
_NOT_TOLD_APART_BY = ("seed", "device", "threads", "loader_workers")
_SEED_AT_END = re.compile(r"[-_. ]*(seed|s)?[-_. ]*\d+$")


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A run folder and what its manifest says."""

    folder: Path
    manifest: Manifest

    @property
    def options(self) -> dict[str, Any]:
        """Dotted names and values of all options that shape the run, its seed left out."""
        train = {
            key: value
            for key, value in self.manifest.facts["train"].items()
            if key not in _NOT_TOLD_APART_BY
        }
        return {
            "shelfwise": self.manifest.shelfwise_version,
            **_flat("model", self.manifest.facts["model"]),
            **_flat("train", train),
            **_flat("", self.manifest.facts["data"]),
        }


@dataclass(frozen=True, slots=True)
class System:
    """What is compared: one configuration, trained with one seed or several."""

    name: str
    runs: tuple[TrainedRun, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of its runs."""
        return tuple(run.manifest.seed for run in self.runs)


def systems_of(runs: Sequence[TrainedRun]) -> tuple[list[System], str]:
    """The systems in order of their first run, and a sentence on how they were formed.

    Runs stay apart where they share options *and* seed, since they then differ by something that
    the manifest does not say; and where all runs would be one system, with nothing to compare.
    """
    groups: dict[str, list[TrainedRun]] = {}
    for run in runs:
        groups.setdefault(repr(sorted(run.options.items())), []).append(run)
    apart = any(len({run.manifest.seed for run in group}) < len(group) for group in groups.values())
    if apart or len(groups) == 1:
        found: list[tuple[TrainedRun, ...]] = [(run,) for run in runs]
        why = (
            "Runs of equal options and equal seed are among them, so every run stands for itself."
            if apart
            else "All runs have equal options, so each seed stands for itself: what differs is "
            "chance."
        )
    else:
        found = [tuple(group) for group in groups.values()]
        why = "Runs of equal options are one system, whatever their seed: its figures are means."
        if all(len(group) == 1 for group in found):
            why = "Each run is a system of its own: no two have equal options and another seed."
    return [System(*pair) for pair in zip(_names_of(found), found, strict=True)], why


def different_options(systems: Sequence[System]) -> dict[str, list[str]]:
    """Options that the systems do not share, with the value of each system in their order."""
    options = [system.runs[0].options for system in systems]
    names = sorted({name for one in options for name in one})
    values = {name: [_shown(one.get(name, "")) for one in options] for name in names}
    return {name: told for name, told in values.items() if len(set(told)) > 1}


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(f"{path}.{key}".lstrip("."), inner)
    return found


def _names_of(groups: Sequence[tuple[TrainedRun, ...]]) -> list[str]:
    """The folders' names, with those of their parents where that tells them apart."""
    short = [_name_of(group, 1) for group in groups]
    times = Counter(short)
    names = [
        name if times[name] == 1 else _name_of(group, 2)
        for name, group in zip(short, groups, strict=True)
    ]
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[place] = f"{name} ({seen[name]})"
    return names


def _name_of(group: tuple[TrainedRun, ...], parts: int) -> str:
    """``large`` for ``large-seed0`` and ``large-seed1``, the first one's name for other names."""
    names = ["/".join(run.folder.resolve().parts[-parts:]) for run in group]
    stems = {_SEED_AT_END.sub("", name) for name in names}
    stem = stems.pop()
    return names[0] if len(names) == 1 or stems or not stem else stem
