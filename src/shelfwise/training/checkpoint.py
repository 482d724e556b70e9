"""Training on disk: all that is needed to go on after a kill as if nothing had happened.

One file for each of a run's two phases (fit, refit), replaced as a whole: tensors as safetensors,
numbers as JSON in the file's own metadata. What follows from options and data is not stored: the
order of batches, the draws of a step (from the seed and the step's number), the frozen layers. Nor
is the table of text vectors: a checkpoint is written right after the table was computed anew, so
that computing it from the weights gives the same bits.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

import shelfwise
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.training.curve import LearningCurve
from shelfwise.training.network import Network
from shelfwise.training.objective import Terms
from shelfwise.training.step import Learner
from shelfwise.training.validation import Check

# Options that decide when training ends or what is written beside it, not what a step does.
_FREE_OPTIONS = ("minutes", "checkpoint_minutes", "loader_workers", "track")


@dataclass(slots=True)
class Headway:
    """How far a training has come."""

    step: int = 0
    seconds: float = 0.0  # spent, those before a kill included
    since_best: int = 0  # checks
    finished: bool = False
    curve: LearningCurve = field(default_factory=LearningCurve)
    window: list[Terms] = field(default_factory=list)  # of the steps since the last check
    best: dict[str, Tensor] | None = None  # weights of the best check, as `weights_of` names them


def weights_of(network: Network) -> dict[str, Tensor]:
    """A copy of all weights above the text encoder, and of those of the encoder that learn."""
    encoder = network.bank.encoder.named_parameters()
    found = {f"model/{name}": tensor for name, tensor in network.model.state_dict().items()}
    found |= {f"encoder/{name}": p for name, p in encoder if p.requires_grad}
    return {name: tensor.detach().clone() for name, tensor in found.items()}


def put_weights(network: Network, weights: Mapping[str, Tensor]) -> None:
    """Give a network the weights that `weights_of` told."""
    network.model.load_state_dict(_below("model/", weights))
    network.bank.encoder.load_state_dict(_below("encoder/", weights), strict=False)


class Checkpoints:
    """The checkpoint of one phase of a training."""

    def __init__(self, path: Path, made_of: Mapping[str, Any], minutes: float) -> None:
        """``made_of``: options and data; a checkpoint of others is not gone on with."""
        self.path = path
        self._made_of = json.loads(json.dumps(made_of))  # tuples become lists, as in the file
        self._minutes = minutes
        self._written_at = 0.0
        self.resumed_at: int | None = None  # step

    def is_due(self, seconds: float) -> bool:
        """Whether the last one was written long enough ago; ``seconds`` as a `Headway` has them."""
        return seconds - self._written_at >= self._minutes * 60

    def write(self, headway: Headway, learner: Learner) -> None:
        """Replace the checkpoint by the state of this moment."""
        tensors = {f"now/{name}": t for name, t in weights_of(learner.network).items()}
        tensors |= {f"best/{name}": t for name, t in (headway.best or {}).items()}
        tensors |= _optimizer_tensors(learner.optimizer)
        ranks = learner.network.bank.encoder.ranks
        if ranks is not None:
            tensors |= {f"ranks/{name}": t for name, t in ranks.memory().items()}
        numbers: dict[str, Any] = {
            "made_of": self._made_of,
            "step": headway.step,
            "seconds": headway.seconds,
            "since_best": headway.since_best,
            "finished": headway.finished,
            "losses": headway.curve.losses,
            "checks": [asdict(check) for check in headway.curve.checks],
        }
        if headway.window:
            tensors["window"] = torch.stack([torch.stack(list(terms)) for terms in headway.window])
        if learner.average is not None:
            numbers["averaged"] = learner.average.steps
            tensors |= {f"mean/{n}": mean for n, mean in enumerate(learner.average.means)}
        self._replace(tensors, numbers)
        self._written_at = headway.seconds

    def read(self, learner: Learner) -> Headway | None:
        """Put a network, its optimiser and its average where the checkpoint left them.

        Returns None where there is no checkpoint.

        Raises:
            ConfigError: it is of other options or data; the message names them.
            ArtifactError: it cannot be read, or this version's network is another.
        """
        if not self.path.is_file():
            return None
        device = learner.network.bank.device
        numbers, tensors = self._read()
        self._refuse_others(numbers["made_of"])
        try:
            put_weights(learner.network, _below("now/", tensors))
            _put_optimizer(learner.optimizer, _below("optimizer/", tensors))
        except (RuntimeError, ValueError, KeyError) as error:
            raise ArtifactError(
                f"{self.path}: its weights are not those of this network; delete the file to start "
                f"anew\n  {error}"
            ) from error
        if learner.average is not None:
            learner.average.steps = numbers["averaged"]
            for place, mean in enumerate(learner.average.means):
                mean.copy_(tensors[f"mean/{place}"])
        if learner.network.bank.encoder.ranks is not None:
            ranks = {name: t.to(device) for name, t in _below("ranks/", tensors).items()}
            learner.network.bank.encoder.ranks.remember(ranks)
        self._written_at, self.resumed_at = numbers["seconds"], numbers["step"]
        rows = tensors.get("window", torch.empty(0, len(Terms._fields)))
        checks = [Check(**check) for check in numbers["checks"]]
        return Headway(
            step=numbers["step"],
            seconds=numbers["seconds"],
            since_best=numbers["since_best"],
            finished=numbers["finished"],
            curve=LearningCurve(numbers["losses"], checks),
            window=[Terms(*row) for row in rows.to(device)],
            best=_below("best/", tensors) or None,
        )

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        try:
            with safe_open(self.path, framework="pt") as file:
                numbers = json.loads(file.metadata()["numbers"])
                return numbers, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(
                f"{self.path}: not a checkpoint of this version ({error}); delete it to start anew"
            ) from error

    def _replace(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f".{self.path.name}.partial")
        ready = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        save_file(ready, partial, metadata={"numbers": json.dumps(numbers)})
        with partial.open("rb") as file:
            os.fsync(file.fileno())  # or a power cut could leave the name without the bytes
        partial.replace(self.path)

    def _refuse_others(self, found: Mapping[str, Any]) -> None:
        differing = _differing(found, self._made_of)
        if differing:
            raise ConfigError(
                "\n".join(
                    [
                        f"{self.path}: a training of other options or data; take these back, or "
                        "leave out --resume to start anew:",
                        *differing,
                    ]
                )
            )


def resuming_folder(out: Path) -> Path:
    """Where the checkpoints of the run ``out`` are until it is complete: beside it."""
    out = out.resolve()
    return out.with_name(f"{out.name}.training")


def forget_checkpoints(out: Path) -> None:
    """Delete the checkpoints of ``out``."""
    shutil.rmtree(resuming_folder(out), ignore_errors=True)


def step_reached(path: Path) -> int | None:
    """The step at which a checkpoint was written; None where there is none, or none of ours."""
    try:
        with safe_open(path, framework="pt") as file:
            return int(json.loads(file.metadata()["numbers"])["step"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def made_of(fingerprint: str, **options: Mapping[str, Any]) -> dict[str, Any]:
    """What a training is made of: its data, its options, and the version at work.

    Args:
        fingerprint: of the prepared data.
        options: sections of the configuration, as JSON has them.
    """
    train = {k: v for k, v in options["train"].items() if k not in _FREE_OPTIONS}
    return {"shelfwise": shelfwise.__version__, "data": fingerprint, **options, "train": train}


def _differing(found: Any, now: Any, where: str = "") -> list[str]:
    """One line for each value that is not the same."""
    if isinstance(found, Mapping) and isinstance(now, Mapping):
        names = sorted(found.keys() | now.keys())
        return [
            line
            for name in names
            for line in _differing(
                found.get(name), now.get(name), f"{where}.{name}" if where else name
            )
        ]
    return [] if found == now else [f"  {where}: {found!r} then, {now!r} now"]


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"optimizer/{place}/{name}": torch.as_tensor(value)
        for place, values in state.items()
        for name, value in values.items()
        if value is not None
    }


def _put_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    whole = optimizer.state_dict()
    whole["state"] = {}
    for key, value in tensors.items():
        place, _, name = key.partition("/")
        whole["state"].setdefault(int(place), {})[name] = value
    optimizer.load_state_dict(whole)


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
