"""The configuration that a saved folder was made with, and what may still be changed of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shelfwise.config import ShopConfig, validated
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import MANIFEST, Manifest, open_sealed

if TYPE_CHECKING:
    from shelfwise.evaluation.pieces import Setting


def config_of(
    folder: Path, manifest: Manifest, settings: Sequence[str], sections: Sequence[str]
) -> ShopConfig:
    """The options saved in ``folder``, with ``settings`` on top that touch ``sections`` alone.

    Raises:
        ConfigError: a setting reaches a section that an earlier command has already used.
        ArtifactError: the manifest does not hold the configuration.
    """
    name = "options" if manifest.kind == "prepared" else "config"
    saved = manifest.facts.get(name)
    if not isinstance(saved, dict):
        raise ArtifactError(
            f"{folder / MANIFEST}: facts.{name} holds no options; the file was altered, so make "
            "the folder again"
        )
    fixed = [setting for setting in settings if setting.split(".")[0] not in sections]
    if fixed:
        earlier = "prepare" if manifest.kind == "prepared" else "prepare or train"
        raise ConfigError(
            f"--set {', '.join(fixed)}: this command takes only "
            f"{', '.join(f'[{section}]' for section in sections)}; give the others to {earlier}"
        )
    return validated(saved, settings, "the saved options")


def configured_from(base: ShopConfig, where: str) -> Callable[[Sequence[str]], Setting]:
    """How settings on top of options become what trains; ``where`` names the options in errors."""
    from shelfwise.evaluation.pieces import Setting
    from shelfwise.training.course import Course

    plain = base.model_dump(mode="json")

    def configured(changes: Sequence[str]) -> Setting:
        found = validated(plain, changes, where)
        course = Course(tasks=found.tasks, adaptation=found.adaptation)
        return Setting(found.model, found.train, found.evaluate, course)

    return configured


def config_of_run(run: Path, prepared: Manifest, settings: Sequence[str]) -> ShopConfig:
    """The options of a run that another begins from, with ``settings`` on top.

    Tasks that it has learned are switched on, all others off: what is to be learned beside them is
    said by a setting.

    Args:
        run: its folder.
        prepared: manifest of the folder that is learned from.
        settings: of [tasks] and [train].

    Raises:
        ConfigError: a setting reaches another section.
        ArtifactError: the folder is no run.
    """
    from shelfwise.training.begin import begun_switches

    facts = open_sealed(run, "run").facts
    own = {
        "model": facts["model"],
        "train": facts["train"],
        "tasks": begun_switches(facts),
        "adaptation": {"kind": "off"},
    }
    saved = prepared.model_copy(
        update={"facts": {**prepared.facts, "options": {**prepared.facts["options"], **own}}}
    )
    return config_of(run, saved, settings, ("tasks", "train"))
