"""What an earlier study found, for another one to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.search import Value
from shelfwise.tuning.space import Space

STUDY = "study.json"


class Earlier(NamedTuple):
    """Its best settings, as far as they lie in another space."""

    settings: list[dict[str, Value]]
    left_out: list[str]  # options that had other values there


NOTHING_EARLIER = Earlier([], [])


def earlier_best(folder: Path, space: Space) -> Earlier:
    """The best settings of another study in ``space``; the defaults stand in for what is not known.

    Raises:
        ArtifactError: the folder holds no study that came to an end.
    """
    try:
        told = json.loads((folder / STUDY).read_text(encoding="utf-8"))
        found = {trial["number"]: trial["params"] for trial in told["trials"]}
        best = [found[number] for number in told["front"]]
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{folder / STUDY}: holds no study: {error}") from error
    kept, left_out = [], dict[str, None]()
    for params in best:
        inside: dict[str, Value] = {}
        for axis in space.applying(inside):
            value = params.get(axis.name, axis.default)
            if not axis.dimension.holds(value):
                left_out[f"{axis.name}={value}"] = None
                value = axis.default
            inside[axis.name] = value
        left_out |= {f"{name}={params[name]}": None for name in params.keys() - inside.keys()}
        if inside not in kept:
            kept.append(inside)
    return Earlier(kept, list(left_out))
