"""CSV and TSV: every row that can be read, and why each other row cannot.

Polars parses fast but takes a short row for one with empty cells, and a stray quote for
the start of a cell that ends anywhere. So the lines are looked at first, in numpy: where
quotes pair up and the separators are as many as in the header, Polars may have them.
The few lines that are left are read one by one.

Shape suffixes in this file: L = lines, Q = quote characters, S = separators.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.source.fault import Fault, Reason
from shelfwise.data.source.lines import Lines, positions, split_lines, whole_lines
from shelfwise.data.source.raw import (
    EMPTY,
    NOT_UTF8,
    NUL_BYTE,
    RawTable,
    Refusal,
    no_rows,
)

_RAGGED = Reason(
    "ragged-row",
    "a row has as many cells as the header",
    'put cells that hold the separator between quotes: "a, b"',
)
_UNCLOSED = Reason(
    "unclosed-quote",
    "a cell that starts with a quote ends with one",
    'close the cell with ", or write a quote inside a cell as ""',
)
_REPEATED_COLUMN = Reason(
    "repeated-column",
    "column names are unique",
    "rename or remove the later one; the first was read",
)
_HEADER = Reason(
    "broken-header", "the first line names the columns", "write the file again as UTF-8 text"
)
_LONGEST_CELL = 1 << 23  # bytes over which a quote may stay open, before it counts as stray


class _Span(NamedTuple):
    """The lines up to ``last`` are one row of these cells."""

    last: int
    cells: list[str]


class _Body(NamedTuple):
    """Rows that fit the header, as CSV text that any parser reads alike; and the others."""

    text: bytes
    row: NDArray[np.int64]  # of each good row, counted from 1 among all rows of the block
    refused: list[Refusal]
    rows: int
    end: int  # where in the block's text the first row begins that may go on in the next


class DelimitedText:
    """Reads CSV text a block at a time, as if it had been there whole.

    A ``separator`` of None is told from the header.
    """

    def __init__(self, file: str, separator: str | None) -> None:
        self.file = file
        self._separator = separator
        self._cr_ends: bool | None = None
        self._header: list[str] | None = None
        self._rows = 0  # seen in earlier blocks

    @property
    def has_header(self) -> bool:
        return self._header is not None

    def read(self, data: bytes, *, final: bool) -> tuple[RawTable | None, bytes]:
        """The rows of a block and the bytes that belong to the next; None where none is whole."""
        whole = len(data) if final else whole_lines(data)
        text, rest = data[:whole], data[whole:]
        lines = split_lines(text, cr_ends=self._cr_ends)
        if self._cr_ends is None:
            self._cr_ends = b"\n" not in text
        filled = np.flatnonzero(lines.end_L > lines.start_L)
        if len(filled) == 0:
            return None, rest
        faults: tuple[Fault, ...] = ()
        first = 0
        if self._header is None:
            found = self._read_header(lines, int(filled[0]))
            if isinstance(found, Fault):
                return no_rows(self.file, found), b""
            first, faults = found
        assert self._header is not None
        assert self._separator is not None
        reader = _RowReader(lines, self._separator)
        body = _split_rows(reader, len(self._header), first, final=final)
        table = self._table(body, faults)
        self._rows += body.rows
        return table, lines.data[body.end :] + rest

    def _read_header(self, lines: Lines, line: int) -> tuple[int, tuple[Fault, ...]] | Fault:
        """The line after the header, and what is odd about it."""
        self._separator = self._separator or _separator(lines.text(line))
        header = _RowReader(lines, self._separator).row_from(line)
        if header is None or (lines.not_utf8_L | lines.has_nul_L)[line : header.last + 1].any():
            return _HEADER.at_file(self.file, lines.text(line), fatal=True)
        names = [name.strip() or f"column_{i}" for i, name in enumerate(header.cells, 1)]
        self._header = names
        repeated = sorted({name for name in names if names.count(name) > 1})
        faults = (_REPEATED_COLUMN.at_file(self.file, name, column=name) for name in repeated)
        return header.last + 1, tuple(faults)

    def _table(self, body: _Body, faults: tuple[Fault, ...]) -> RawTable:
        assert self._header is not None
        assert self._separator is not None
        frame = _parse(body, self._separator, len(self._header))
        first_of = {name: pl.col(f"{self._header.index(name)}") for name in self._header}
        return RawTable(
            self.file,
            frame.select(**first_of),
            pl.Series(body.row + self._rows, dtype=pl.Int64),
            tuple(replace(one, row=one.row + self._rows) for one in body.refused),
            faults,
        )


def read_delimited(data: bytes, file: str, separator: str | None) -> RawTable:
    """Read CSV text that is there whole; a ``separator`` of None is told from the header."""
    table, _ = DelimitedText(file, separator).read(data, final=True)
    return table or no_rows(file, EMPTY.at_file(file, "no text at all", fatal=True))


def _separator(header: str) -> str:
    """The first of the usual separators that the header holds."""
    return next((mark for mark in ",;\t|" if mark in header), ",")


class _RowReader:
    """Reads single rows the careful way, quotes inside of cells and line breaks included."""

    def __init__(self, lines: Lines, separator: str) -> None:
        self.lines = lines
        self.separator = separator
        self.quote_Q = positions(lines.data, b'"')
        self.quotes_L = lines.count(self.quote_Q)
        self._odd_lines = np.flatnonzero(self.quotes_L % 2)
        mark = re.escape(separator)
        cell = rf'(?>"[^"]*+(?:""[^"]*+)*+"|[^"{mark}\n][^{mark}\n]*+|)'
        self._cell = re.compile(cell)
        self._row = re.compile(rf"{cell}(?:{mark}{cell})*+")

    def may_go_on(self, line: int) -> bool:
        """Whether a quote opened at ``line`` may be closed by bytes that are not here yet."""
        closed = len(self._odd_lines) and self._odd_lines[-1] > line
        open_ = bool(self.quotes_L[line] % 2) and not closed
        return open_ and len(self.lines.data) - self.lines.start_L[line] <= _LONGEST_CELL

    def row_from(self, line: int) -> _Span | None:
        """The row that starts at ``line``; None where a quote is not closed in time."""
        start, end = int(self.lines.start_L[line]), self.lines.end_L
        if cells := self._cells(start, int(end[line])):
            return _Span(line, cells)
        # Inside of a cell, lines with an even number of quotes cannot close it.
        later = np.searchsorted(self._odd_lines, line, side="right")
        if self.quotes_L[line] % 2 == 0 or later == len(self._odd_lines):
            return None
        last = int(self._odd_lines[later])
        if end[last] - start > _LONGEST_CELL:
            return None
        cells = self._cells(start, int(end[last]))
        return _Span(last, cells) if cells else None

    def _cells(self, start: int, end: int) -> list[str]:
        """The cells of one row of text; none where the text is not one row."""
        text = self.lines.data[start:end].decode("utf-8", "replace")
        if not self._row.fullmatch(text):
            return []
        cells, at = [], 0
        while at <= len(text):
            found = self._cell.match(text, at)
            assert found is not None, "the pattern also matches nothing"
            cell = found.group()
            cells.append(cell[1:-1].replace('""', '"') if cell.startswith('"') else cell)
            at = found.end() + 1
        return cells


def _split_rows(reader: _RowReader, width: int, first: int, *, final: bool) -> _Body:
    """Sort the lines from ``first`` on into good rows and refused ones."""
    lines = reader.lines
    cells_L, plain_L = _look(reader)
    damaged_L = lines.not_utf8_L | lines.has_nul_L
    starts_L = lines.end_L > lines.start_L  # a row starts here; an empty line is none
    starts_L[:first] = False
    good_L = starts_L & plain_L & (cells_L == width) & ~damaged_L

    rewritten: dict[int, bytes] = {}
    reason: dict[int, Reason] = {}
    last_of: dict[int, int] = {}
    done, end = 0, len(lines.data)
    for line in np.flatnonzero(starts_L & ~plain_L).tolist():
        if line < done:
            continue
        span = reader.row_from(line)
        if span is None and not final and reader.may_go_on(line):
            starts_L[line:] = good_L[line:] = False
            end = int(lines.start_L[line])
            break
        if span is None or (span.last > line and len(span.cells) != width):
            reason[line] = _UNCLOSED  # the stray quote costs its own line alone
            continue
        done = span.last + 1
        last_of[line] = span.last
        starts_L[line + 1 : done] = good_L[line + 1 : done] = False
        if damaged_L[line:done].any():
            reason[line] = NUL_BYTE if lines.has_nul_L[line:done].any() else NOT_UTF8
        elif len(span.cells) == width:
            rewritten[line] = _written(span.cells, reader.separator)
            good_L[line] = True

    row_L = np.cumsum(starts_L)
    refused = [
        Refusal(
            int(row_L[line]),
            reason.get(line) or _reason(lines, line),
            lines.text(line, last_of.get(line, line)),
        )
        for line in np.flatnonzero(starts_L & ~good_L).tolist()
    ]
    text = _joined(lines, good_L, rewritten)
    return _Body(text, row_L[good_L], refused, int(starts_L.sum()), end)


def _reason(lines: Lines, line: int) -> Reason:
    if lines.not_utf8_L[line]:
        return NOT_UTF8
    return NUL_BYTE if lines.has_nul_L[line] else _RAGGED


def _look(reader: _RowReader) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """``[L]`` cells of each line, and whether that number is sure.

    It is sure where every odd quote of a line opens a cell and every even one closes it
    (or both are a doubled quote inside of a cell), and no carriage return stands alone.
    """
    lines, mark = reader.lines, reader.separator.encode()
    data, quote_Q = lines.data, reader.quote_Q
    mark_S = positions(data, mark)
    cells_L = lines.count(mark_S) + 1
    plain_L = reader.quotes_L % 2 == 0
    plain_L[lines.at(positions(data, b"\r"))] = False
    if len(quote_Q) == 0:
        return cells_L, plain_L

    # Borders of the text count as line breaks.
    byte = np.frombuffer(b"\n" + data + b"\n", np.uint8)
    line_Q = lines.at(quote_Q)
    before_L = np.searchsorted(quote_Q, lines.start_L)
    opens_Q = (np.arange(len(quote_Q)) - before_L[line_Q]) % 2 == 0
    neighbour_Q = np.where(opens_Q, byte[quote_Q], byte[quote_Q + 2])
    at_border_Q = np.isin(neighbour_Q, np.frombuffer(b'\n"' + mark, np.uint8))
    plain_L[line_Q[~at_border_Q]] = False

    quoted_S = mark_S[reader.quotes_L[lines.at(mark_S)] > 0]
    line_S = lines.at(quoted_S)
    inside_S = (np.searchsorted(quote_Q, quoted_S) - before_L[line_S]) % 2 == 1
    cells_L -= np.bincount(line_S[inside_S], minlength=len(lines))
    return cells_L, plain_L


def _written(cells: list[str], separator: str) -> bytes:
    quoted = ('"' + cell.replace('"', '""') + '"' if cell else "" for cell in cells)
    return (separator.join(quoted) + "\n").encode()


def _joined(lines: Lines, good_L: NDArray[np.bool_], rewritten: dict[int, bytes]) -> bytes:
    """The text of the good lines, whole stretches at a time."""
    asis_L = good_L.copy()
    asis_L[list(rewritten)] = False
    edges = np.flatnonzero(np.diff(asis_L, prepend=False, append=False)).reshape(-1, 2)
    pieces = {
        int(first): lines.data[lines.start_L[first] : lines.end_L[end - 1] + 1]
        for first, end in edges
    }
    return b"".join(piece for _, piece in sorted((pieces | rewritten).items()))


def _parse(body: _Body, separator: str, width: int) -> pl.DataFrame:
    schema = {f"{i}": pl.String for i in range(width)}
    if len(body.row) == 0:
        return pl.DataFrame(schema=schema)
    frame = pl.read_csv(body.text, has_header=False, schema=schema, separator=separator)
    if frame.height == len(body.row):
        return frame
    return pl.DataFrame(_cells_of_rows(body.text, separator), schema=schema, orient="row")


def _cells_of_rows(text: bytes, separator: str) -> Iterator[list[str]]:
    """What Polars should have found; it sees some odd line breaks otherwise."""
    reader = _RowReader(split_lines(text), separator)
    line = 0
    while line < len(reader.lines):
        span = reader.row_from(line)
        assert span is not None, "only rows that were read before are written"
        yield span.cells
        line = span.last + 1
