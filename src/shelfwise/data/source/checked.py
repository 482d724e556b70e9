"""From the files of one table to its good rows, its refused rows and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from shelfwise.data.source.fault import Fault, FaultGroup, Reason, group
from shelfwise.data.source.files import SourceFile, find_files
from shelfwise.data.source.raw import RawTable
from shelfwise.data.source.rules import REJECTS, Rule, judge
from shelfwise.data.source.table import read_raw
from shelfwise.data.source.typed import (
    FILE,
    RAW_PREFIX,
    ROW,
    as_text,
    find_columns,
    missing_column,
    typed,
)
from shelfwise.schema.columns import Column
from shelfwise.schema.progress import Progress

REJECT_ROWS = pl.Schema([*REJECTS.items(), ("raw", pl.String())])


@dataclass(frozen=True, slots=True)
class TableCounts:
    """Where a file's rows went: ``rows_in = kept + rejected + duplicates``."""

    file: str
    rows_in: int
    kept: int
    rejected: int
    duplicates: int


def _same(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What one table of a shop must look like."""

    section: str  # of shop.toml
    columns: tuple[Column, ...]
    own_names: Mapping[str, str]  # Shelfwise's column = the file's
    needed: tuple[tuple[str, ...], ...]  # of each group a file has one column at least
    rules: tuple[Rule, ...]
    among_rows: tuple[Rule, ...] = ()  # held once exact duplicates are gone
    zone: str = "UTC"  # of times that carry none
    translate: Callable[[pl.DataFrame], pl.DataFrame] = _same  # typed rows, before the rules
    may_repeat: bool = False  # exact duplicates stay


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """What is left of a table's files, and what is not."""

    frame: pl.DataFrame | None  # None: no file of it could be used
    rejects: pl.DataFrame  # as REJECT_ROWS
    groups: list[FaultGroup]
    notes: list[str]
    counts: tuple[TableCounts, ...]  # one a file


def check_pattern(
    folder: Path, pattern: str, spec: TableSpec, progress: Progress
) -> CheckedTable | None:
    """Read and check all files of one table; None where there is no file and no fault."""
    files, faults = find_files(folder, pattern)
    if not files and not faults:
        return None
    checked = _check_files(files, spec, progress)
    return replace(checked, groups=group(faults) + checked.groups)


def _check_files(files: Sequence[SourceFile], spec: TableSpec, progress: Progress) -> CheckedTable:
    """Read each file, then hold the rows of all of them against the table's rules."""
    raws: list[RawTable] = []
    frames: list[pl.DataFrame] = []
    for file in files:
        with progress.step(f"Reading {file.name}"):
            raw = read_raw(file)
            if not raw.unusable:
                raw = replace(raw, faults=(*raw.faults, *_column_faults(raw, spec)))
            if not raw.unusable:
                frames.append(_typed(raw, spec))
            raws.append(raw)
    of_files = group(fault for raw in raws for fault in raw.faults)
    of_lines = group(refusal.fault(raw.file) for raw in raws for refusal in raw.refused)
    with progress.step(f"Checking {spec.section}"):
        checked = _check_rows(_stacked(frames), raws, spec)
    return replace(checked, groups=of_files + of_lines + checked.groups)


def _column_faults(raw: RawTable, spec: TableSpec) -> list[Fault]:
    found = raw.frame.columns
    have = find_columns(found, spec.columns, spec.own_names)
    faults = [
        missing_column(raw.file, found, needed, spec.section)
        for needed in spec.needed
        if not have.keys() & set(needed)
    ]
    told = {name for needed in spec.needed for name in needed}
    for name, own in spec.own_names.items():
        if own not in found and not (name in told and faults):
            faults.append(
                Reason(
                    "missing-column",
                    "a column that shop.toml maps is in the file",
                    f"correct or remove {name} under [{spec.section}.columns]",
                ).at_file(raw.file, f"no {own}; found columns: {', '.join(found)}", column=name)
            )
    return faults


def _typed(raw: RawTable, spec: TableSpec) -> pl.DataFrame:
    own_names = find_columns(raw.frame.columns, spec.columns, spec.own_names)
    rows = typed(raw, spec.columns, own_names, spec.zone)
    return spec.translate(rows)


def _stacked(frames: list[pl.DataFrame]) -> pl.DataFrame | None:
    """The rows of several files; a further column that they type differently becomes text."""
    if not frames:
        return None
    types: dict[str, set[pl.DataType]] = {}
    for frame in frames:
        for name, dtype in frame.schema.items():
            types.setdefault(name, set()).add(dtype)
    differ = [name for name, found in types.items() if len(found) > 1]
    return pl.concat(
        [
            frame.with_columns(as_text(frame[name]) for name in differ if name in frame.columns)
            for frame in frames
        ],
        how="diagonal",
    )


def _check_rows(
    rows: pl.DataFrame | None, raws: Sequence[RawTable], spec: TableSpec
) -> CheckedTable:
    if rows is None:
        lost = tuple(TableCounts(raw.file, raw.rows_in, 0, raw.rows_in, 0) for raw in raws)
        return CheckedTable(None, _rejects(raws, None), [], [], lost)
    alone = judge(rows, spec.rules)
    once = alone.kept if spec.may_repeat else _distinct(alone.kept, spec.columns)
    together = judge(once, spec.among_rows)
    counts = _counts(raws, together.kept, once, alone.kept)
    return CheckedTable(
        _finished(together.kept, spec.columns),
        _rejects(raws, pl.concat([alone.rejects, together.rejects])),
        alone.groups + together.groups,
        alone.notes + together.notes + _duplicate_notes(counts),
        counts,
    )


def _distinct(rows: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    said = [c.name for c in columns if rows[c.name].null_count() < rows.height]
    return rows.unique(subset=said, keep="first", maintain_order=True) if said else rows


def _finished(rows: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    names = [column.name for column in columns]
    further = [
        name
        for name in rows.columns
        if name not in (*names, ROW, FILE) and not name.startswith(RAW_PREFIX)
    ]
    return rows.select(*names, *further, ROW, FILE)


def _counts(
    raws: Iterable[RawTable], kept: pl.DataFrame, once: pl.DataFrame, alone: pl.DataFrame
) -> tuple[TableCounts, ...]:
    per_file = [dict(frame[FILE].value_counts().iter_rows()) for frame in (kept, once, alone)]
    counts = []
    for raw in raws:
        n_kept, n_once, n_alone = (by_file.get(raw.file, 0) for by_file in per_file)
        twice = n_alone - n_once
        counts.append(
            TableCounts(raw.file, raw.rows_in, n_kept, raw.rows_in - n_kept - twice, twice)
        )
    return tuple(counts)


def _duplicate_notes(counts: Sequence[TableCounts]) -> list[str]:
    return [
        f"{count.file}: rows left out because they repeat an earlier one: {count.duplicates:,}"
        for count in counts
        if count.duplicates
    ]


def _rejects(raws: Iterable[RawTable], judged: pl.DataFrame | None) -> pl.DataFrame:
    """All refused rows, each as its file has it, in the files' order."""
    parts = [pl.DataFrame(schema=REJECT_ROWS)]
    for raw in raws:
        if raw.unusable or judged is None:
            parts.append(_whole_file(raw))
            continue
        of_file = judged.filter(pl.col(FILE) == raw.file)
        texts = _as_json(raw, of_file[ROW])
        told = of_file.with_columns(
            pl.Series("raw", [texts[row] for row in of_file[ROW]], pl.String)
        )
        unread = pl.DataFrame([r.reject(raw.file) for r in raw.refused], schema=REJECT_ROWS)
        parts.append(pl.concat([unread, told]).sort(ROW))
    return pl.concat(parts)


def _whole_file(raw: RawTable) -> pl.DataFrame:
    """Every row of a file that cannot be used, refused for what is wrong with the file.

    The rows themselves are not repeated: the file has them.
    """
    fault = next(fault for fault in raw.faults if fault.fatal)
    rows = pl.concat([raw.row, pl.Series([r.row for r in raw.refused], dtype=pl.Int64)]).sort()
    same = {name: getattr(fault, name) for name in ("file", "column", "code", "found", "rule")}
    told = pl.DataFrame({"row": rows}).with_columns(
        *(pl.lit(value).alias(name) for name, value in same.items()),
        pl.lit(None, pl.String).alias("raw"),
    )
    return told.select(REJECT_ROWS.names())


def _as_json(raw: RawTable, rows: pl.Series) -> dict[int, str]:
    wanted = raw.row.is_in(rows.implode())
    cells = raw.frame.filter(wanted).iter_rows(named=True)
    return {
        row: json.dumps(values, ensure_ascii=False, default=str)
        for row, values in zip(raw.row.filter(wanted), cells, strict=True)
    }
