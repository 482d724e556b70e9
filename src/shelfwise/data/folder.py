"""Output folders that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from shelfwise.schema.errors import ConfigError


@contextmanager
def new_folder(path: Path, marker: str) -> Iterator[Path]:
    """A folder to write into, moved to ``path`` when the block ends well.

    An error or Ctrl-C leaves ``path`` as it was. A folder that already stands there is replaced
    only if it is empty or holds ``marker``, the file by which we know our own work.

    Raises:
        ConfigError: ``path`` is a file, or a folder of somebody else's.
    """
    _refuse_to_overwrite(path, marker)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
    partial.chmod(0o755)
    try:
        yield partial
        if path.exists():
            replaced = partial.with_name(partial.name + "-replaced")
            path.rename(replaced)
            partial.rename(path)
            shutil.rmtree(replaced)
        else:
            partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _refuse_to_overwrite(path: Path, marker: str) -> None:
    if path.is_file():
        raise ConfigError(f"{path}: is a file; name a folder to write into")
    if path.is_dir() and any(path.iterdir()) and not (path / marker).is_file():
        raise ConfigError(
            f"{path}: is not empty and not ours (it has no {marker}); "
            "name another folder or empty this one"
        )
