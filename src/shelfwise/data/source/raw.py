"""A source's rows as they stand in it, before any of them is understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from shelfwise.data.source.fault import Fault, Reason, shorten

NOT_UTF8 = Reason(
    "invalid-utf8", "text is UTF-8", "write the file again as UTF-8, or correct the row"
)
NUL_BYTE = Reason("nul-byte", "text holds no NUL character", "remove the character")
TRUNCATED = Reason(
    "truncated-archive",
    "a compressed file must be whole",
    "compress or copy it again; the rows before the damage were read",
)
EMPTY = Reason("empty-file", "a table has at least one row", "write the file again, or remove it")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that could not even be split into its columns."""

    row: int
    reason: Reason
    text: str  # the row as it stands, unreadable bytes replaced

    def fault(self, file: str) -> Fault:
        return self.reason.at_row(file, self.row, self.text)

    def reject(self, file: str) -> dict[str, str | int]:
        return {
            "file": file,
            "row": self.row,
            "column": "",
            "code": self.reason.code,
            "found": shorten(self.text),
            "rule": self.reason.rule,
            "raw": json.dumps({"line": self.text}, ensure_ascii=False),
        }


@dataclass(frozen=True, slots=True)
class RawTable:
    """Some or all rows of a source: the good ones as a frame, the others with their reason."""

    file: str
    frame: pl.DataFrame  # the file's own columns
    row: pl.Series  # of each row of the frame, its place in the file, from 1
    refused: tuple[Refusal, ...] = ()
    faults: tuple[Fault, ...] = ()  # of the file as a whole

    @property
    def rows_in(self) -> int:
        return self.frame.height + len(self.refused)

    @property
    def unusable(self) -> bool:
        return any(fault.fatal for fault in self.faults)


def number_rows(count: int, after: int = 0) -> pl.Series:
    """The places of rows of which none is refused."""
    return pl.int_range(after + 1, after + count + 1, dtype=pl.Int64, eager=True)


class Source(Protocol):
    """Where a table's rows come from, some at a time, so that none has to fit in memory."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def fixed_columns(self) -> bool:
        """Whether every part has the same columns; else any row may bring a new one."""

    def read(self) -> Iterator[RawTable]:
        """All rows, numbered through all parts; the first part has the faults of the whole."""


def no_rows(file: str, fault: Fault) -> RawTable:
    return RawTable(file, pl.DataFrame(), number_rows(0), faults=(fault,))
