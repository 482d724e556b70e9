"""One file of a table in any of the formats, as rows not yet understood."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from shelfwise.data.source.blocks import BLOCK, DAMAGE, blocks, unpacked
from shelfwise.data.source.delimited import DelimitedText
from shelfwise.data.source.fault import Fault, Reason
from shelfwise.data.source.files import UNREADABLE, SourceFile
from shelfwise.data.source.jsonl import JsonLines
from shelfwise.data.source.raw import (
    EMPTY,
    TRUNCATED,
    RawTable,
    Refusal,
    no_rows,
    number_rows,
)

ROWS_TOGETHER = 1 << 19  # of a Parquet file
_LARGEST_GROUP = 1 << 21  # rows; Polars, the faster reader, unpacks a row group whole

_BROKEN_PARQUET = Reason(
    "broken-parquet", "the file must be whole Parquet", "write or copy the file again"
)


@dataclass(frozen=True, slots=True)
class FileSource:
    """The rows of one file, of which no more than ``block`` bytes of text are held at once."""

    file: SourceFile
    block: int = BLOCK

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def fixed_columns(self) -> bool:
        return self.file.format != "jsonl"

    def read(self) -> Iterator[RawTable]:
        """Every row of the file, the unreadable ones with their reason; nothing is raised."""
        unreadable = _unreadable(self.file)
        if unreadable is not None:
            yield no_rows(self.name, unreadable)
            return
        match self.file.format:
            case "csv":
                yield from _read_text(self, DelimitedText(self.name, None))
            case "tsv":
                yield from _read_text(self, DelimitedText(self.name, "\t"))
            case "jsonl":
                yield from _read_text(self, JsonLines(self.name))
            case "parquet":
                yield from _read_parquet(self.file)


def _unreadable(file: SourceFile) -> Fault | None:
    try:
        with file.path.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        return UNREADABLE.at_file(file.name, error.strerror or str(error), fatal=True)
    return None


def _read_text(source: FileSource, parser: DelimitedText | JsonLines) -> Iterator[RawTable]:
    """The rows of a text file; of a damaged archive, as many as can be had."""
    rest, rows_in = b"", 0
    for block in blocks(unpacked(source.file), source.block):
        if block.broken:
            yield _up_to_the_damage(rest + block.data, block.broken, (source.name, rows_in), parser)
            return
        table, rest = parser.read(rest + block.data, final=block.final)
        if table is not None:
            rows_in += table.rows_in
            yield table
            if table.unusable:
                return
    if rows_in == 0:
        found = "a header without rows" if parser.has_header else "no text at all"
        yield no_rows(source.name, EMPTY.at_file(source.name, found, fatal=True))


def _up_to_the_damage(
    data: bytes, broken: str, so_far: tuple[str, int], parser: DelimitedText | JsonLines
) -> RawTable:
    """The rows before the damage; the one in which it lies is refused."""
    name, rows_in = so_far
    whole, newline, rest = data.rpartition(b"\n")
    table, _ = parser.read(whole + newline, final=True)
    table = table or RawTable(name, pl.DataFrame(), number_rows(0))
    count = rows_in + table.frame.height
    found = f"{broken}; {count:,} whole rows could be read"
    fault = TRUNCATED.at_file(name, found, fatal=count == 0)
    if table.unusable:
        return no_rows(name, fault)
    refused = table.refused
    if rest:
        last = rows_in + table.rows_in + 1
        refused += (Refusal(last, TRUNCATED, rest.decode("utf-8", "replace")),)
    return replace(table, refused=refused, faults=(*table.faults, fault))


def _read_parquet(file: SourceFile) -> Iterator[RawTable]:
    rows = 0
    try:
        for frame in _parquet_frames(file):
            if frame.height:
                yield RawTable(file.name, frame, number_rows(frame.height, after=rows))
            rows += frame.height
    # Damage shows as any of Arrow's or Polars' errors, or as a panic of a decoder.
    except (*DAMAGE, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        found = f"{error}; {rows:,} rows could be read" if rows else str(error)
        yield no_rows(file.name, _BROKEN_PARQUET.at_file(file.name, found, fatal=rows == 0))
        return
    if rows == 0:
        yield no_rows(file.name, EMPTY.at_file(file.name, "a header without rows", fatal=True))


def _parquet_frames(file: SourceFile) -> Iterator[pl.DataFrame]:
    packed = file.packing != "plain"
    source = io.BytesIO(b"".join(unpacked(file))) if packed else file.path
    with pq.ParquetFile(source) as table:
        about = table.metadata
        groups = [about.row_group(number).num_rows for number in range(about.num_row_groups)]
        if not packed and max(groups, default=0) <= _LARGEST_GROUP:
            for start in range(0, about.num_rows, ROWS_TOGETHER):
                yield pl.scan_parquet(file.path, glob=False).slice(start, ROWS_TOGETHER).collect()
            return
        for batch in table.iter_batches(batch_size=ROWS_TOGETHER):
            frame = pl.from_arrow(pa.Table.from_batches([batch]))
            assert isinstance(frame, pl.DataFrame), "a table of Arrow is a frame"
            yield frame
