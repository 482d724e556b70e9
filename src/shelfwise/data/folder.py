"""Output folders that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from shelfwise.schema.errors import ConfigError


@contextmanager
def new_folder(path: Path, marker: str) -> Iterator[Path]:
    """A folder to write into, moved to ``path`` when the block ends well.

    An error or Ctrl-C leaves ``path`` as it was. A folder that already stands there is replaced
    only if it is empty or holds ``marker``, the file by which we know our own work.

    Raises:
        ConfigError: ``path`` is a file, a folder of somebody else's, or where none can be made.
    """
    path = path.resolve()  # a link to our own folder stays a link
    _refuse_to_overwrite(path, marker)
    partial = path.with_name(f".{path.name}.partial-{token_hex(4)}")
    replaced = partial.with_name(f"{partial.name}-replaced")
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f"{path}: no folder can be made there ({error.strerror})") from error
    try:
        yield partial
        _refuse_to_overwrite(path, marker)  # somebody may have written there meanwhile
        if path.exists():
            path.rename(replaced)
        partial.rename(path)
    finally:
        if replaced.exists() and not path.exists():
            replaced.rename(path)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def _refuse_to_overwrite(path: Path, marker: str) -> None:
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{path}: is a file; name a folder to write into")
    if path.is_dir() and any(path.iterdir()) and not (path / marker).is_file():
        raise ConfigError(
            f"{path}: is not empty and not ours (it has no {marker}); "
            "name another folder or empty this one"
        )
