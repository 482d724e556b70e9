"""Which files a pattern of shop.toml means, and what bytes they hold."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shelfwise.data.source.fault import Fault, Reason
from shelfwise.schema.errors import ConfigError

Format = Literal["csv", "tsv", "parquet", "jsonl"]
Packing = Literal["plain", "gz", "zst"]

FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_PACKINGS: dict[str, Packing] = {".gz": "gz", ".zst": "zst"}

_NOT_FOUND = Reason(
    "file-not-found",
    "the file that shop.toml names must exist",
    "put the file there, or name another under `file`",
)
_UNKNOWN_FORMAT = Reason(
    "unknown-format",
    f"tables are {', '.join(FORMATS)}, plain or with .gz or .zst behind",
    "save the table in one of these formats, or name another file under `file`",
)
_AMBIGUOUS = Reason(
    "ambiguous-file",
    "one table comes in one format",
    "remove the file that is out of date, or name the right one under `file`",
)
UNREADABLE = Reason(
    "unreadable-file", "the file must be readable", "check its permissions and the disk"
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A table on disk; ``name`` is its path inside the shop folder."""

    path: Path
    name: str
    format: Format
    packing: Packing


def find_files(folder: Path, pattern: str) -> tuple[list[SourceFile], list[Fault]]:
    """The tables a pattern means, by name; no file and no fault where nothing matches.

    A folder means every file in it, but for those that programs put there (``_SUCCESS``, hidden
    ones); what is no table is told.
    """
    paths = _matches(folder, pattern)
    known = [file for path in paths if (file := _source_file(path, folder)) is not None]
    if paths and not known:
        names = ", ".join(_shown(path, folder) for path in paths[:3])
        return [], [_UNKNOWN_FORMAT.at_file(pattern, names, fatal=True)]
    stems = Counter(_stem(file) for file in known)
    twice = [file.name for file in known if stems[_stem(file)] > 1]
    if twice:
        return [], [_AMBIGUOUS.at_file(pattern, " and ".join(twice), fatal=True)]
    if not (folder / pattern).is_dir():
        return known, []
    others = [_shown(path, folder) for path in paths if _source_file(path, folder) is None]
    return known, [_UNKNOWN_FORMAT.at_file(name, "another ending") for name in others]


def not_found(folder: Path, pattern: str) -> Fault:
    """The fault of a table that had to be there, with what lies there instead."""
    beside = sorted(path.name for path in folder.iterdir() if path.suffix != ".toml")
    return _NOT_FOUND.at_file(
        pattern,
        f"the folder holds {', '.join(beside)}" if beside else "an empty folder",
        fatal=True,
    )


def _matches(folder: Path, pattern: str) -> list[Path]:
    """Files that ``pattern`` names below ``folder``; it may also be an absolute path."""
    whole = folder / pattern
    if whole.is_dir():
        inside = sorted(path for path in whole.iterdir() if path.is_file())
        return [path for path in inside if not path.name.startswith((".", "_"))]
    if not re.search(r"[*?\[]", pattern):
        return [whole] if whole.is_file() else []
    anchor = Path(whole.anchor) if Path(pattern).is_absolute() else folder
    relative = str(whole.relative_to(anchor))
    try:
        return sorted(path for path in anchor.glob(relative) if path.is_file())
    except ValueError as error:
        raise ConfigError(f"file = {pattern!r}: not a pattern of files: {error}") from error


def _source_file(path: Path, folder: Path) -> SourceFile | None:
    packing = _PACKINGS.get(path.suffix.lower(), "plain")
    bare = path if packing == "plain" else path.with_suffix("")
    format_ = FORMATS.get(bare.suffix.lower())
    return SourceFile(path, _shown(path, folder), format_, packing) if format_ else None


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _stem(file: SourceFile) -> Path:
    bare = file.path if file.packing == "plain" else file.path.with_suffix("")
    return bare.with_suffix("")
