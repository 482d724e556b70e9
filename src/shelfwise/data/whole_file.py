"""Output files that appear whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_whole(file: Path, text: str) -> None:
    """Write ``text`` to ``file``; an error or Ctrl-C leaves there what was there before."""
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False
    ) as partial:
        try:
            partial.write(text)
            partial.close()
            Path(partial.name).chmod(0o644)  # a temporary file is for its owner alone
            Path(partial.name).replace(file)
        finally:
            with suppress(FileNotFoundError):
                Path(partial.name).unlink()
