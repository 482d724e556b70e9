"""Finding and reading a publisher's table, in whichever common form it was saved."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Literal
from zipfile import BadZipFile, ZipFile

import polars as pl

from shelfwise.data.readers.card import DatasetCard
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

Kind = Literal["text", "id", "integer", "number", "time"]


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A column of the publisher's table that the reader needs."""

    name: str  # what the reader calls it
    header: str  # what the publisher calls it; case, spaces and punctuation do not matter
    kind: Kind


def find_published(card: DatasetCard, source: Path) -> Path:
    """The data set's table: ``source`` itself, or the first expected name in that folder."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise DataError(f"{source}: no such file or folder; {_expected(card)}")
    present = sorted(path for path in source.iterdir() if path.is_file())
    for wanted in card.files:
        for path in present:
            if _plain(path.name) in (_plain(wanted), _plain(wanted + ".gz")):
                return path
    for path in present:
        if path.suffix.lower() in (".xlsx", ".xls"):
            raise _excel(path)
    names = ", ".join(path.name for path in present[:10]) or "no file"
    raise DataError(f"{source}: {_expected(card)}; found {names}")


def read_published(path: Path, columns: Sequence[PublishedColumn]) -> pl.DataFrame:
    """The wanted columns under the reader's names, after ``line`` (1 is the first data row).

    An empty cell is null, and so is a lone ``nan``, which pandas writes for one. A cell that
    is not of its column's kind stops the reading: the file is then damaged or misread.
    """
    content = path.read_bytes()
    if _is_parquet(path, content):
        table = _parquet(path, content)
    else:
        table = _csv(path, _unpack(path.name, content))
    by_plain = {_plain(name): name for name in table.columns}
    missing = [column.header for column in columns if _plain(column.header) not in by_plain]
    if missing:
        raise DataError(
            f"{path}: lacks the column(s) {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    typed = [pl.Series("line", range(1, table.height + 1), dtype=pl.Int64)]
    problems = []
    for column in columns:
        cells = table[by_plain[_plain(column.header)]]
        values = _typed(cells, column.kind)
        typed.append(values.alias(column.name))
        problems += _unreadable(cells, values, column)
    if problems:
        raise DataError("\n".join([f"{path}:", *problems]))
    return pl.DataFrame(typed)


def _expected(card: DatasetCard) -> str:
    return f"{card.name} needs one of {', '.join(card.files)} (from {card.url})"


def _plain(name: str) -> str:
    """``page 1 (main category)`` and R's ``page.1..main.category.`` are the same name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _excel(path: Path | PurePosixPath) -> DataError:
    return DataError(
        f"{path}: Excel workbooks are not read; open it and save it as "
        f"CSV UTF-8 ({path.stem}.csv) in the same folder, then convert again"
    )


def _is_parquet(path: Path, content: bytes) -> bool:
    return path.suffix.lower() == ".parquet" or content[:4] == b"PAR1"


def _parquet(path: Path, content: bytes) -> pl.DataFrame:
    try:
        return pl.read_parquet(BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error


def _unpack(name: str, content: bytes) -> bytes:
    """The CSV inside a .gz or .zip, a zip inside a zip included, as UCI packs them."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in (".xlsx", ".xls"):
        raise _excel(PurePosixPath(name))
    try:
        if suffix == ".gz":
            return gzip.decompress(content)
        if suffix != ".zip":
            return content
        with ZipFile(BytesIO(content)) as archive:
            member = _table_in(name, archive.namelist())
            inner = archive.read(member)
    except (OSError, EOFError, BadZipFile) as error:
        raise DataError(f"{name}: cannot be unpacked: {error}") from error
    return _unpack(member, inner)


def _table_in(name: str, members: Sequence[str]) -> str:
    for suffix in (".csv", ".zip", ".xlsx"):
        fitting = [member for member in members if member.lower().endswith(suffix)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise DataError(
                f"{name}: holds {len(fitting)} {suffix} files ({', '.join(fitting[:5])}); "
                "unpack it and name the one to convert"
            )
    raise DataError(f"{name}: holds no CSV file, only {', '.join(members[:5]) or 'nothing'}")


def _csv(path: Path, content: bytes) -> pl.DataFrame:
    """Every cell as text; separators , ; and tab; UTF-8, else Windows-1252 as Excel saves."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    try:
        return pl.read_csv(BytesIO(text.encode()), separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: not a readable CSV file: {error}") from error


def _typed(cells: pl.Series, kind: Kind) -> pl.Series:
    if kind == "time":
        return _times(cells)
    text = _text(cells)
    whole = text.str.replace(r"^(-?\d+)\.0+$", "$1")  # 17850.0, as pandas writes an id
    match kind:
        case "text":
            return text
        case "id":
            return whole
        case "integer":
            return whole.cast(pl.Int64, strict=False)
        case "number":
            number = text.cast(pl.Float64, strict=False)
            return number.set(~number.is_finite(), None)


def _text(cells: pl.Series) -> pl.Series:
    text = cells.cast(pl.String).str.strip_chars()
    return text.set(text.is_in(["", "nan", "NaN"]), None)


def _times(cells: pl.Series) -> pl.Series:
    if cells.dtype.is_temporal():
        moments = cells.cast(pl.Datetime("us"))
        return moments.dt.replace_time_zone("UTC")
    text = _text(cells)
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
    lost = (_text(cells).is_not_null() & values.is_null()).arg_true()
    if len(lost) == 0:
        return []
    first = lost[0]
    return [
        f"  {column.header}: {len(lost)} cell(s) hold no {column.kind}; "
        f"the first, in data row {first + 1}, is {cells[first]!r}"
    ]
