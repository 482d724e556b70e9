"""Where a table of shop.toml comes from: its files, a database, or what was pulled of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from shelfwise.data.connections import RedisStream, SqlSource
from shelfwise.data.source.fault import Fault
from shelfwise.data.source.files import find_files
from shelfwise.data.source.raw import Source
from shelfwise.data.source.spool import SpooledStream
from shelfwise.data.source.sql import SqlTable
from shelfwise.data.source.table import FileSource


class FromFiles(Protocol):
    """Options of a table that files can hold."""

    @property
    def file(self) -> str: ...


def sources_of(
    folder: Path, section: str, table: FromFiles
) -> tuple[Sequence[Source], list[Fault]]:
    """The sources of a table, by name; none and no fault where the shop does not have it.

    ``section`` is the table's in shop.toml.
    """
    sql, stream = getattr(table, "sql", None), getattr(table, "stream", None)
    if isinstance(sql, SqlSource):
        return [SqlTable(sql, section, folder)], []
    if isinstance(stream, RedisStream):
        return [SpooledStream(stream, section, folder)], []
    return files_as_sources(folder, table.file)


def files_as_sources(folder: Path, pattern: str) -> tuple[Sequence[Source], list[Fault]]:
    """The files that a pattern means, each to be read part by part."""
    files, faults = find_files(folder, pattern)
    return [FileSource(file) for file in files], faults
