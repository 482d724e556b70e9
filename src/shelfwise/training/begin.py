"""A run that another begins from: its weights, and what it has learned.

Either something is learned on top of it and nothing else of it changes, or all of it learns on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.auxiliary import AuxiliaryTasks
from shelfwise.models.config import ModelOptions
from shelfwise.models.weights import load_tensors
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import Manifest, open_sealed
from shelfwise.schema.run_files import MODEL
from shelfwise.training.network import Network
from shelfwise.training.task_plan import AUXILIARY, MAIN, TaskPlan


@dataclass(frozen=True, slots=True)
class Begun:
    """A trained run, opened to go on from."""

    folder: Path
    manifest: Manifest
    tensors: dict[str, Tensor]  # of the network above the encoder

    @property
    def learned(self) -> tuple[str, ...]:
        """Tasks that it has learned."""
        return _learned(self.manifest.facts)

    @property
    def auxiliary(self) -> AuxiliaryTasks:
        """Its auxiliary heads."""
        return AuxiliaryTasks.model_validate(self.manifest.facts.get("auxiliary", {}))

    def added(self, learned: Sequence[str]) -> tuple[str, ...]:
        """Which of ``learned`` can be learned on top of it; none where all of it must learn on."""
        new = tuple(task for task in learned if task not in self.learned)
        return new if all(task in AUXILIARY for task in new) else ()

    def put(self, network: Network) -> None:
        """Give a network the run's weights; parts that the run has not stay as they are."""
        own = network.model.state_dict()
        network.model.load_state_dict(own | {n: t for n, t in self.tensors.items() if n in own})


def begin_from(folder: Path, prepared: PreparedShop, options: ModelOptions) -> Begun:
    """Open a run to begin from.

    Raises:
        ConfigError: it is no run of this shop's log, or of another network.
    """
    manifest = open_sealed(folder, "run")
    wrong = []
    if manifest.facts["shape"] != "shop":
        wrong.append("it is no run of a shop with behaviour")
    elif ModelOptions.model_validate(manifest.facts["model"]) != options:
        wrong.append("its [model] is another; leave [model] as the run has it")
    if manifest.data_fingerprint != prepared.manifest.data_fingerprint:
        wrong.append(
            f"it has learned from {manifest.facts['prepared']}, which is other data: numbers of "
            "items would not mean the same; name that folder, or train anew"
        )
    if wrong:
        raise ConfigError("\n".join([f"--from {folder}:", *(f"  {why}" for why in wrong)]))
    return Begun(folder, manifest, load_tensors(folder / MODEL))


def joined_heads(begun: Begun, plan: TaskPlan, new: Sequence[str]) -> AuxiliaryTasks:
    """The heads that the run has, and those of the new tasks."""
    found, asked = begun.auxiliary, plan.auxiliary
    update: dict[str, dict[str, Any]] = {
        "interest": {"categories": asked.categories, "kinds": asked.kinds},
        "intent": {"intents": asked.intents},
        "attributes": {"attributes": asked.attributes},
        "relevance": {"relevance": asked.relevance},
    }
    return found.model_copy(update={k: v for task in new for k, v in update[task].items()})


def freeze_all_but(network: Network, tasks: Sequence[str]) -> None:
    """Let the heads of ``tasks`` learn and nothing else, so that no other answer can change.

    What an intent adds to the ranking is learned by ranking alone, so here it stays 0.
    """
    network.bank.encoder.requires_grad_(False)
    network.model.requires_grad_(False)
    for task in tasks:
        getattr(network.model.auxiliary, task).requires_grad_(True)
    intent = network.model.auxiliary.intent
    if intent is not None:
        intent.match_gain.requires_grad_(False)
        intent.click_gain.requires_grad_(False)


def begun_switches(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The section [tasks] of a run with these facts: on for what it has learned, off for all else.

    What it has learned stays "auto": it may learn on from data that teach it no more.
    """
    learned = _learned(facts)
    wishes = {task: "auto" if task in learned else False for task in (*MAIN, *AUXILIARY)}
    return {**facts.get("task_options", {}), **wishes}


def _learned(facts: Mapping[str, Any]) -> tuple[str, ...]:
    # The match is written with what counts as one.
    return tuple(task.split(" ")[0] for task in facts["tasks"])
