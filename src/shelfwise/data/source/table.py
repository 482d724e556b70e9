"""One file of a table in any of the formats, as rows not yet understood."""

from __future__ import annotations

import io

import polars as pl

from shelfwise.data.source.delimited import read_delimited
from shelfwise.data.source.fault import Fault, Reason
from shelfwise.data.source.files import Content, SourceFile, read_content
from shelfwise.data.source.jsonl import read_json_lines
from shelfwise.data.source.raw import (
    EMPTY,
    TRUNCATED,
    RawTable,
    Refusal,
    no_rows,
    number_rows,
)

_BROKEN_PARQUET = Reason(
    "broken-parquet", "the file must be whole Parquet", "write or copy the file again"
)


def read_raw(file: SourceFile) -> RawTable:
    """Every row of a file, the unreadable ones with their reason; nothing is raised."""
    content = read_content(file)
    if isinstance(content, Fault):
        return no_rows(file.name, content)
    if content.broken and file.format != "parquet":
        return _read_broken(content, file)
    table = _read(content.data, file)
    if table.rows_in == 0 and not table.unusable:
        return no_rows(file.name, EMPTY.at_file(file.name, "a header without rows", fatal=True))
    return table


def _read(data: bytes, file: SourceFile) -> RawTable:
    match file.format:
        case "csv":
            return read_delimited(data, file.name, None)
        case "tsv":
            return read_delimited(data, file.name, "\t")
        case "jsonl":
            return read_json_lines(data, file.name)
        case "parquet":
            return _read_parquet(data, file.name)


def _read_broken(content: Content, file: SourceFile) -> RawTable:
    """The rows before the damage; the one in which it lies is refused."""
    whole, newline, rest = content.data.rpartition(b"\n")
    table = _read(whole + newline, file)
    count = table.frame.height
    found = f"{content.broken}; {count:,} whole rows could be read"
    fault = TRUNCATED.at_file(file.name, found, fatal=count == 0)
    if table.unusable:
        return no_rows(file.name, fault)
    refused = table.refused
    if rest:
        refused += (Refusal(table.rows_in + 1, TRUNCATED, rest.decode("utf-8", "replace")),)
    return RawTable(file.name, table.frame, table.row, refused, (*table.faults, fault))


def _read_parquet(data: bytes, file: str) -> RawTable:
    if not data:
        return no_rows(file, EMPTY.at_file(file, "no bytes at all", fatal=True))
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    # Damage shows as any of Polars' errors, or as a panic of its decoder.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        return no_rows(file, _BROKEN_PARQUET.at_file(file, str(error), fatal=True))
    return RawTable(file, frame, number_rows(frame.height))
