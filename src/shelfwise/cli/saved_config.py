"""The configuration that a saved folder was made with, and what may still be changed of it."""

from __future__ import annotations

from collections.abc import Sequence

from shelfwise.config import ShopConfig, validated
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import Manifest


def config_of(manifest: Manifest, settings: Sequence[str], sections: Sequence[str]) -> ShopConfig:
    """The saved configuration with ``settings`` on top, which may touch ``sections`` alone.

    Raises:
        ConfigError: a setting reaches a section that an earlier command has already used.
    """
    saved = manifest.facts["options" if manifest.kind == "prepared" else "config"]
    fixed = [setting for setting in settings if setting.split(".")[0] not in sections]
    if fixed:
        earlier = "prepare" if manifest.kind == "prepared" else "prepare or train"
        raise ConfigError(
            f"--set {', '.join(fixed)}: this command takes only "
            f"{', '.join(f'[{section}]' for section in sections)}; give the others to {earlier}"
        )
    return validated(saved, settings, "the saved options")
