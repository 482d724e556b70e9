"""Where the secret of users' pseudonyms is kept: what shop.toml says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import model_validator

from shelfwise.schema.options import Options


class PrivacyOptions(Options):
    """What keeps the ids of users out of everything that is written."""

    key_file: Path | None = None
    """File that holds the secret of the pseudonyms, relative to the shop folder; with neither it
    nor key_variable, one is made for your account at first use: ~/.config/shelfwise."""
    key_variable: str | None = None
    """Environment variable that holds the secret instead."""
    published_key: bool = False
    """True for synthetic or published data: a key that everybody knows, so that pseudonyms are
    the same on every machine and protect nobody."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        told = [self.key_file is not None, self.key_variable is not None, self.published_key]
        if sum(told) > 1:
            raise ValueError("give one of key_file, key_variable and published_key")
        return self
