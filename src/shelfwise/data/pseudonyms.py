"""Users under other names: who reads what Shelfwise writes does not learn whose behaviour it is.

A pseudonym is the first 8 bytes of HMAC-SHA256 (RFC 2104) of the id under a secret key. Without
the key nobody can tell whether a known id is among the pseudonyms, which a plain hash would allow.
Among ten million users two share one with a probability of 3 in a million.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import polars as pl

from shelfwise.data.privacy import PrivacyOptions
from shelfwise.schema.errors import ConfigError

_PUBLISHED_KEY = b"shelfwise: a key that everybody knows"
_SHORTEST_KEY = 16  # bytes
_OWN_KEY = Path("shelfwise/pseudonyms.key")  # below the account's configuration folder

Personal = Literal["user", "session", "ip"]
_KINDS: Mapping[str, Personal] = {"user_id": "user", "session_id": "session", "ip": "ip"}


class Pseudonyms:
    """Gives every person the same other name each time."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, options: PrivacyOptions, folder: Path) -> Self:
        """The pseudonyms that shop.toml asks for; ``folder`` is where it lies.

        Raises:
            ConfigError: the key cannot be had, or is too short to be one.
        """
        return cls(_key(options, folder))

    def number(self, kind: Personal, personal: str) -> int:
        """The pseudonym of one id, as a number below 2**64."""
        digest = hmac.digest(self._key, f"{kind}:{personal}".encode(), "sha256")
        return int.from_bytes(digest[:8], "big")

    def name(self, kind: Personal, personal: str) -> str:
        """The pseudonym of one id, as it is written: users plain, others with their kind."""
        return written(kind, self.number(kind, personal))

    def hide(self, column: str, value: object) -> object:
        """What may be written of a value in one of the columns that hold personal ids."""
        return None if value is None else self.name(_KINDS[column], str(value))

    def numbers(self, kind: Personal, ids: pl.Series) -> pl.Series:
        """``UInt64`` pseudonym of every id, null for null; each distinct id is computed once."""
        if ids.null_count() == len(ids):
            return pl.Series(ids.name, [None], dtype=pl.UInt64).new_from_index(0, len(ids))
        distinct = ids.drop_nulls().unique()
        known = pl.DataFrame(
            {
                "id": distinct,
                "number": pl.Series([self.number(kind, one) for one in distinct], dtype=pl.UInt64),
            },
            schema={"id": pl.String, "number": pl.UInt64},
        )
        told = ids.alias("id").to_frame().join(known, on="id", how="left", maintain_order="left")
        return told["number"].alias(ids.name)


def written(kind: Personal, number: int) -> str:
    """A pseudonym as text: 16 hexadecimal digits, after the kind where it is no user."""
    return f"{number:016x}" if kind == "user" else f"{kind}:{number:016x}"


def written_names(kind: Personal, numbers: pl.Expr) -> pl.Expr:
    """The same for a column of numbers; null for null."""
    return numbers.map_batches(
        lambda column: pl.Series(
            [None if one is None else written(kind, one) for one in column], dtype=pl.String
        ),
        return_dtype=pl.String,
    )


def _key(options: PrivacyOptions, folder: Path) -> bytes:
    if options.published_key:
        return _PUBLISHED_KEY
    if options.key_variable is not None:
        return _from_variable(options.key_variable, os.environ)
    if options.key_file is not None:
        return _from_file(folder / options.key_file.expanduser(), "privacy.key_file")
    # Where the XDG base directory specification says that an account's own files lie.
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    own = Path(home).expanduser() / _OWN_KEY
    if not own.exists():
        _make_key(own)
    return _from_file(own, "the key of this account")


def _from_variable(name: str, variables: Mapping[str, str]) -> bytes:
    found = variables.get(name, "").strip()
    if not found:
        raise ConfigError(
            f"privacy.key_variable: the environment has no {name}; set it to the secret of the "
            "pseudonyms, at least 16 characters that nobody can guess"
        )
    return _checked(found.encode(), f"the environment variable {name}")


def _from_file(path: Path, where: str) -> bytes:
    try:
        return _checked(path.read_bytes().strip(), str(path))
    except OSError as error:
        raise ConfigError(
            f"{where}: {path} cannot be read ({error.strerror}); write a secret of at least "
            f"{_SHORTEST_KEY} characters there, or remove the option"
        ) from error


def _checked(key: bytes, where: str) -> bytes:
    if len(key) < _SHORTEST_KEY:
        raise ConfigError(
            f"{where}: a secret of {len(key)} characters can be guessed; "
            f"use at least {_SHORTEST_KEY}"
        )
    return key


def _make_key(path: Path) -> None:
    """A fresh secret that only this account may read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
    except FileExistsError:
        return  # another process was first
    except OSError as error:
        raise ConfigError(
            f"{path}: no key can be written there ({error.strerror}); name one under "
            "privacy.key_file or privacy.key_variable in shop.toml"
        ) from error
