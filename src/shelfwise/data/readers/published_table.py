"""A publisher's table in whichever common form it was saved, with typed columns."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Literal

import polars as pl

from shelfwise.schema.errors import DataError

# The first layout that reads every cell wins. Excel writes the month first in American English
# and the day first in British; a file with any day after the 12th fits only one of them.
_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%y %H:%M",
    "%d/%m/%y %H:%M",
)
_UTC = r"(?: ?UTC|Z|\+00:?00)$"  # said behind a time, it changes nothing

Kind = Literal["text", "id", "integer", "number", "time", "seconds"]


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A column of the publisher's table that the reader needs."""

    name: str  # what the reader calls it
    header: str  # what the publisher calls it; case, spaces and punctuation do not matter
    kind: Kind  # "seconds": a time, written as seconds since 1970
    optional: bool = False  # null throughout where the table lacks it


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table of text is laid out, where it is not the usual way."""

    headed: bool = True  # without a header, columns are taken in the reader's order
    separator: str | None = None  # left out: comma, semicolon or tab, by the first line
    quote: str | None = '"'
    other_encoding: str = "cp1252"  # where it is not UTF-8: Excel's, and Latin-1 nearly
    nulls: tuple[str, ...] = ()  # what the publisher writes into an empty cell


HEADED = Layout()


def parse_table(path: Path, name: str, content: bytes, layout: Layout = HEADED) -> pl.DataFrame:
    """The table as it is written, by its suffix: Parquet, JSON, JSON Lines, else delimited text."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".parquet" or content[:4] == b"PAR1":
        return _parquet(path, content)
    if suffix in (".json", ".jsonl", ".ndjson"):
        return _json(path, content)
    return delimited(path, content, layout)


def as_text(content: bytes, other_encoding: str = "cp1252") -> str:
    """UTF-8, else the other encoding."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(other_encoding, errors="replace")


def _is_plain_utf8(content: bytes) -> bool:
    """UTF-8 without a byte order mark: a large file then need not be copied."""
    if content.startswith(BOM_UTF8):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def delimited(path: Path, content: bytes, layout: Layout = HEADED) -> pl.DataFrame:
    """A table of text, every cell as text; without a header its columns are numbered."""
    if not _is_plain_utf8(content):
        content = as_text(content, layout.other_encoding).encode()
    first_line = BytesIO(content).readline().decode()
    separator = layout.separator or max(",;\t", key=first_line.count)
    try:
        return pl.read_csv(
            content,
            has_header=layout.headed,
            separator=separator,
            quote_char=layout.quote,
            null_values=list(layout.nulls) or None,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: not a readable CSV file: {error}") from error


def typed_table(
    path: Path, table: pl.DataFrame, columns: Sequence[PublishedColumn], *, headed: bool = True
) -> pl.DataFrame:
    """The wanted columns under the reader's names, after ``line``; see PublishedFolder.table."""
    written = _written(path, table, columns, headed=headed)
    typed = [pl.Series("line", range(1, table.height + 1), dtype=pl.Int64)]
    problems = []
    for column in columns:
        cells = table[written[column.name]] if column.name in written else _absent(table.height)
        values = _typed(cells, column.kind)
        typed.append(values.alias(column.name))
        problems += _unreadable(cells, values, column)
    if problems:
        raise DataError("\n".join([f"{path}:", *problems]))
    return pl.DataFrame(typed)


def _written(
    path: Path, table: pl.DataFrame, columns: Sequence[PublishedColumn], *, headed: bool
) -> dict[str, str]:
    """The reader's name -> the table's own."""
    if not headed:
        if table.width < len(columns):
            wanted = ", ".join(column.header for column in columns)
            raise DataError(
                f"{path}: has {table.width} column(s), {len(columns)} are needed: {wanted}"
            )
        return {c.name: own for c, own in zip(columns, table.columns, strict=False)}
    by_plain = {_plain(name): name for name in table.columns}
    missing = [c.header for c in columns if not c.optional and _plain(c.header) not in by_plain]
    if missing:
        raise DataError(
            f"{path}: lacks the column(s) {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    return {c.name: by_plain[_plain(c.header)] for c in columns if _plain(c.header) in by_plain}


def _plain(name: str) -> str:
    """``page 1 (main category)`` and R's ``page.1..main.category.`` are the same name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _absent(height: int) -> pl.Series:
    return pl.Series([None] * height, dtype=pl.String)


def _parquet(path: Path, content: bytes) -> pl.DataFrame:
    try:
        return pl.read_parquet(BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error


def _json(path: Path, content: bytes) -> pl.DataFrame:
    """One object a line, or one array of objects."""
    read = pl.read_json if content.lstrip()[:1] == b"[" else pl.read_ndjson
    try:
        return read(BytesIO(content), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: not readable as JSON: {error}") from error


def _typed(cells: pl.Series, kind: Kind) -> pl.Series:
    if kind == "time":
        return _times(cells)
    text = _text(cells)
    if kind == "text":
        return text
    if kind == "number":
        number = pl.nth(0).cast(pl.Float64, strict=False)
        return text.to_frame().select(pl.when(number.is_finite()).then(number)).to_series()
    whole = text.str.replace(r"^(-?\d+)\.0+$", "$1")  # 17850.0, as pandas writes an id
    match kind:
        case "id":
            return whole
        case "integer":
            return whole.cast(pl.Int64, strict=False)
        case "seconds":
            moments = whole.cast(pl.Int64, strict=False) * 1_000_000
            return moments.cast(pl.Datetime("us", "UTC"))


def _text(cells: pl.Series) -> pl.Series:
    # One query: many small ones cost more than their work where a table has a hundred columns.
    text = pl.nth(0).cast(pl.String).str.strip_chars()
    return cells.to_frame().select(text.replace(["", "nan", "NaN"], None)).to_series()


def _times(cells: pl.Series) -> pl.Series:
    if cells.dtype.is_temporal():
        moments = cells.cast(pl.Datetime("us"))
        return moments.dt.replace_time_zone("UTC")
    text = _text(cells).str.replace(_UTC, "")
    best = _parsed(text, _TIME_FORMATS[0])
    for layout in _TIME_FORMATS[1:]:
        if best.null_count() == text.null_count():
            break
        attempt = _parsed(text, layout)
        if attempt.null_count() < best.null_count():
            best = attempt
    return best.dt.replace_time_zone("UTC")


def _parsed(text: pl.Series, layout: str) -> pl.Series:
    moments = text.str.to_datetime(layout, strict=False, time_unit="us")
    return moments.set(moments.dt.year() < 1900, None)  # %Y takes "10" for the year 10


def _unreadable(cells: pl.Series, values: pl.Series, column: PublishedColumn) -> list[str]:
    if values.null_count() == cells.null_count():  # an empty cell has no value
        return []
    lost = (_text(cells).is_not_null() & values.is_null()).arg_true()
    if len(lost) == 0:
        return []
    first = lost[0]
    return [
        f"  {column.header}: {len(lost)} cell(s) hold no {column.kind}; "
        f"the first, in data row {first + 1}, is {cells[first]!r}"
    ]
