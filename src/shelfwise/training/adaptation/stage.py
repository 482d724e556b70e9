"""Domain adaptation as a stage of training: done where it is asked for, and once for a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.weights import ENCODER
from shelfwise.schema.progress import Progress
from shelfwise.training.adaptation.adapt import Adapted, Start, adapt
from shelfwise.training.adaptation.options import Adaptation, AdaptationOptions, NoAdaptation
from shelfwise.training.config import TrainOptions

_TOLD = "adaptation.json"


class Place(NamedTuple):
    """Where a run's adapted encoder stays until the run is complete."""

    folder: Path
    made_of: Mapping[str, Any]  # options and data; what was left by others is not gone on with


def starting_encoder(
    prepared: PreparedShop,
    start: Start,
    options: AdaptationOptions,
    train: TrainOptions,
    place: Place,
    progress: Progress,
) -> Adapted:
    """The encoder that the tasks begin with.

    A training that was killed and goes on finds the encoder that it had adapted, if data and
    options are the same: adapted again by the clock, it could be another.

    Args:
        prepared: the shop.
        start: the encoder as it was pre-trained.
        options: whether it is adapted, and how.
        train: rates, seed and device.
        place: where it is kept.
        progress: told of every step.
    """
    match options:
        case NoAdaptation():
            return Adapted(start.source, options.model_dump(mode="json"))
        case Adaptation():
            left = _left(place.folder, place.made_of)
            if left is not None:
                return _adapted(place.folder, start, left)
            shutil.rmtree(place.folder, ignore_errors=True)
            place.folder.mkdir(parents=True)
            adapted = adapt(prepared, start, options, train, place.folder, progress)
            facts = {"kind": options.kind, "options": options.model_dump(mode="json")}
            facts |= adapted.facts
            told = json.dumps({"made_of": place.made_of, "facts": facts})
            # Written last: a folder without it is not gone on with.
            (place.folder / _TOLD).write_text(told, encoding="utf-8")
            return _adapted(place.folder, start, facts)


def _left(folder: Path, made_of: Mapping[str, Any]) -> dict[str, Any] | None:
    if not (folder / _TOLD).is_file():
        return None
    told = json.loads((folder / _TOLD).read_text(encoding="utf-8"))
    same = told["made_of"] == json.loads(json.dumps(made_of))
    facts: dict[str, Any] = told["facts"]
    return facts if same else None


def _adapted(folder: Path, start: Start, facts: dict[str, Any]) -> Adapted:
    return Adapted(folder / ENCODER if facts["kept"] else start.source, facts)
