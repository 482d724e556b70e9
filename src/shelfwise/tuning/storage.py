"""Where trials are kept, so that a kill loses none: a journal file, SQLite or PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from shelfwise.schema.errors import ConfigError

JOURNAL = "journal.log"
_RULE = "sqlite:///FILE or postgresql://USER@HOST/NAME; left out, a journal in --out"


def open_storage(out: Path, url: str | None) -> BaseStorage:
    """The storage that ``url`` names; without one a journal in ``out``.

    Raises:
        ConfigError: the URL is of another kind, its library is not installed, or the server does
            not answer. A password in it is not repeated.
    """
    if url is None:
        return JournalStorage(JournalFileBackend(str(out / JOURNAL)))
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        raise ConfigError(f"--storage {without_password(url)}: expected {_RULE}")
    # Psycopg 3 is the one that is installed; a bare name means the older one.
    url = re.sub(r"^postgresql://", "postgresql+psycopg://", url)
    try:
        return RDBStorage(url)
    except ImportError as error:
        raise ConfigError(
            f"--storage {without_password(url)}: {error}; install it with: "
            "pip install 'shelfwise[sql]'"
        ) from error
    except Exception as error:
        if not type(error).__module__.startswith(("sqlalchemy", "psycopg", "sqlite3", "optuna")):
            raise
        reason = str(error).splitlines()[0]
        raise ConfigError(f"--storage {without_password(url)}: {reason}") from error


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return re.sub(r"(://[^:/@]*):[^/]*@", r"\1:...@", url)
