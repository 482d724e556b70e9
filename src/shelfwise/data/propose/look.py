"""The files a person names, and a sample of what stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import polars as pl

from shelfwise.data.propose.profile import ColumnProfile, profile
from shelfwise.data.source.files import FORMATS, SourceFile, find_files
from shelfwise.data.source.raw import RawTable
from shelfwise.data.source.table import FileSource
from shelfwise.data.source.typed import as_text
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress, Silent

SAMPLE_ROWS = 20_000
_BLOCK = 1 << 22  # bytes read at once: the sample and little more


@dataclass(frozen=True, slots=True)
class Looked:
    """The head of one file."""

    path: Path
    rows: int  # looked at
    whole: bool  # whether that was the whole file
    headless: bool  # the first line holds values, no names
    columns: tuple[ColumnProfile, ...]

    @property
    def said(self) -> str:
        """What was looked at, for the record."""
        part = f"all {self.rows:,} rows" if self.whole else f"the first {self.rows:,} rows"
        return f"{self.path.name} ({part})"


@dataclass(frozen=True, slots=True)
class NotLooked:
    """A file that is no table, and why."""

    path: Path
    why: str


def look_at(
    names: Sequence[str], progress: Progress | None = None
) -> tuple[list[Looked], list[NotLooked]]:
    """The head of every table that ``names`` mean: files, globs, or folders of files.

    Raises:
        DataError: a name means no file, or none of all files is a table.
    """
    paths = list(dict.fromkeys(path for name in names for path in _meant(name)))
    seen: list[Looked] = []
    passed: list[NotLooked] = []
    with (progress or Silent()).step("Looking at files", total=len(paths)) as step:
        for path in paths:
            found = _look(path)
            if isinstance(found, Looked):
                seen.append(found)
            else:
                passed.append(found)
            step.advance()
    if not seen:
        told = "\n".join(f"  {one.path}: {one.why}" for one in passed)
        raise DataError(f"--from: none of these is a table that can be read:\n{told}")
    return seen, passed


def _meant(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.is_file() and one.suffix != ".toml")
    if path.is_file():
        return [path]
    matches = sorted(Path(one) for one in glob(name, recursive=True) if Path(one).is_file())
    if not matches:
        raise DataError(f"--from {name}: no such file; name files, a folder or a pattern of files")
    return matches


def _look(path: Path) -> Looked | NotLooked:
    file = _source_file(path)
    if file is None:
        return NotLooked(path, f"not one of {', '.join(FORMATS)}, plain or with .gz or .zst")
    parts: list[pl.DataFrame] = []
    rows, whole = 0, True
    for raw in FileSource(file, block=_BLOCK).read():
        if raw.unusable:
            return NotLooked(path, _why(raw))
        parts.append(pl.DataFrame([as_text(one) if _odd(one) else one for one in raw.frame]))
        rows += raw.frame.height
        if rows > SAMPLE_ROWS:
            whole = False
            break
    sample = pl.concat(parts, how="diagonal_relaxed").head(SAMPLE_ROWS)
    headless = file.format in ("csv", "tsv") and _is_headless(sample)
    if headless:
        sample = _with_first_row(sample)
    return Looked(path, sample.height, whole, headless, tuple(profile(one) for one in sample))


def _source_file(path: Path) -> SourceFile | None:
    from glob import escape

    files, _ = find_files(path.parent, escape(path.name))
    return files[0] if files else None


def _why(raw: RawTable) -> str:
    fault = next(fault for fault in raw.faults if fault.fatal)
    return f"{fault.rule}, found {fault.found}"


def _odd(series: pl.Series) -> bool:
    """Whether a column's type may differ between parts of one file."""
    return series.dtype.is_nested() or series.dtype in (pl.Null, pl.Object, pl.Binary)


def _is_headless(sample: pl.DataFrame) -> bool:
    """Whether what was taken for names looks like one more row.

    Names are no numbers; so numbers on top of columns of numbers are values, unless a word stands
    on top of another such column.
    """
    tops = [
        _is_number(name)
        for name in sample.columns
        if sample[name].dtype == pl.String
        and sample[name].drop_nulls().str.contains(r"^[+-]?\d+(\.\d+)?$").mean() == 1.0
    ]
    return bool(tops) and all(tops)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _with_first_row(sample: pl.DataFrame) -> pl.DataFrame:
    first = pl.DataFrame([sample.columns], schema=sample.schema, orient="row")
    both = pl.concat([first, sample])
    return both.rename({own: f"column {place}" for place, own in enumerate(both.columns, 1)})
