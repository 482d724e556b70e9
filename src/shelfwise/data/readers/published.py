"""A publisher's files: finding them, and taking them out of their packing."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published_table import (
    HEADED,
    Layout,
    PublishedColumn,
    parse_table,
    typed_table,
)
from shelfwise.schema.errors import DataError

_PACKED = ("", ".gz", ".zip")  # what may follow a published name
# Tables that are looked for in a .zip; a .txt is more often its description, so only by name.
_IN_ZIP = (".csv", ".tsv", ".parquet", ".jsonl", ".json", ".gz", ".zip", ".xlsx", ".xls")


class Unpacked(NamedTuple):
    """One published file as it is inside its packing."""

    path: Path  # where it was found, packing and all
    name: str  # its innermost name, whose suffix says what it holds
    content: bytes


class PublishedFolder:
    """A data set as the publisher left it, and a digest of everything read from it.

    ``source`` is a folder, or the set's main file; further files are then looked for beside it.
    A name matches whatever its case, spaces and punctuation, with .gz or .zip after it or not;
    ``bts/all.csv`` is looked for in the folder ``bts``.
    """

    def __init__(self, card: DatasetCard, source: Path) -> None:
        self._card = card
        self._source = source
        self._digests: dict[str, str] = {}

    @property
    def digests(self) -> Mapping[str, str]:
        """File read, by its path inside the folder -> sha256, in the order of reading."""
        return dict(self._digests)

    def table(
        self,
        columns: Sequence[PublishedColumn],
        names: Sequence[str] = (),
        layout: Layout = HEADED,
    ) -> pl.DataFrame:
        """The wanted columns under the reader's names, after ``line`` (1 is the first data row).

        ``names``: the file, by the first of these that is there; empty: the card's main file.
        An empty cell is null, and so is a lone ``nan``, which pandas writes for one. A cell that
        is not of its column's kind stops the reading: the file is then damaged or misread.
        """
        file = self.content(names)
        written = parse_table(file.path, file.name, file.content, layout)
        return typed_table(file.path, written, columns, headed=layout.headed)

    def content(self, names: Sequence[str] = ()) -> Unpacked:
        """A whole file without its packing, for readers of a form of their own."""
        path = self.find(names)
        packed = path.read_bytes()
        self._digests[self._inside(path)] = hashlib.sha256(packed).hexdigest()
        name, content = _unpack(path.name, packed, names or self._card.files)
        return Unpacked(path, name, content)

    def holds(self, names: Sequence[str]) -> bool:
        """Whether a file that not every download has is there."""
        return bool(self._matches(names))

    def find(self, names: Sequence[str] = ()) -> Path:
        """The first of the wanted names that is there; see the class for what matches."""
        if self._source.is_file() and not names:
            return self._source
        if not self._source.exists():
            raise DataError(f"{self._source}: no such file or folder; {self._expected(names)}")
        wanted = names or self._card.files
        for path in self._matches(wanted):
            return path
        present = _files(self._root)
        for path in present:
            if path.suffix.lower() in (".xlsx", ".xls"):
                raise _excel(path)
        found = ", ".join(path.name for path in present[:10]) or "no file"
        raise DataError(f"{self._source}: {self._expected(names)}; found {found}")

    @property
    def _root(self) -> Path:
        return self._source.parent if self._source.is_file() else self._source

    def _matches(self, names: Sequence[str]) -> list[Path]:
        found = []
        for wanted in names:
            inside = PurePosixPath(wanted)
            fitting = {_plain(inside.name + packing) for packing in _PACKED}
            present = _files(self._root / inside.parent)
            found += [path for path in present if _plain(path.name) in fitting]
        return found

    def _inside(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _expected(self, names: Sequence[str]) -> str:
        wanted = names or self._card.files
        one_of = "" if len(wanted) == 1 else "one of "
        return f"{self._card.name} needs {one_of}{', '.join(wanted)} (from {self._card.url})"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _excel(path: Path | PurePosixPath) -> DataError:
    return DataError(
        f"{path}: Excel workbooks are not read; open it and save it as "
        f"CSV UTF-8 ({path.stem}.csv) in the same folder, then convert again"
    )


def _unpack(name: str, content: bytes, wanted: Sequence[str]) -> tuple[str, bytes]:
    """The file inside a .gz or .zip, a zip inside a zip included, as UCI packs them."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in (".xlsx", ".xls"):
        raise _excel(PurePosixPath(name))
    try:
        if suffix == ".gz":
            member, inner = name[: -len(suffix)], gzip.decompress(content)
        elif suffix == ".zip":
            with ZipFile(BytesIO(content)) as archive:
                member = _table_in(name, archive.namelist(), wanted)
                inner = archive.read(member)
        else:
            return name, content
    except (OSError, EOFError, BadZipFile) as error:
        raise DataError(f"{name}: cannot be unpacked: {error}") from error
    return _unpack(member, inner, wanted)


def _table_in(name: str, members: Sequence[str], wanted: Sequence[str]) -> str:
    by_name = {_plain(PurePosixPath(member).name): member for member in members}
    for published in wanted:
        for packing in _PACKED:
            member = by_name.get(_plain(PurePosixPath(published).name + packing))
            if member is not None:
                return member
    for suffix in _IN_ZIP:
        fitting = [member for member in members if member.lower().endswith(suffix)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise DataError(
                f"{name}: holds {len(fitting)} {suffix} files ({', '.join(fitting[:5])}); "
                "unpack it and name the one to convert"
            )
    raise DataError(f"{name}: holds no table, only {', '.join(members[:5]) or 'nothing'}")
