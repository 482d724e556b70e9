"""A table that fits in memory: its good rows, its refused rows and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from shelfwise.data.source.fault import Fault, group
from shelfwise.data.source.raw import RawTable, Source, number_rows
from shelfwise.data.source.rules import Judge
from shelfwise.data.source.scan import (
    HIDDEN,
    CheckedTable,
    Hide,
    TableCounts,
    TableScan,
    TableSpec,
    in_order,
    typed_rows,
)
from shelfwise.data.source.typed import FILE, RAW_PREFIX, ROW, as_json, as_text
from shelfwise.schema.columns import Column
from shelfwise.schema.progress import Progress


def check_sources(
    sources: Sequence[Source],
    faults: Sequence[Fault],
    spec: TableSpec,
    progress: Progress,
    hide: Hide | None = None,
) -> CheckedTable | None:
    """Read and check a table that fits in memory; None where there is no source and no fault."""
    if not sources and not faults:
        return None
    scan = TableScan(spec, hide)
    frames: list[pl.DataFrame] = []
    for source in sources:
        with progress.step(f"Reading {source.name}"):
            frames += scan.read(source)
    with progress.step(f"Checking {spec.section}"):
        checked = _together(scan, frames, spec, hide)
    return replace(checked, groups=group(faults) + checked.groups)


def _together(
    scan: TableScan, frames: list[pl.DataFrame], spec: TableSpec, hide: Hide | None
) -> CheckedTable:
    """What the rows of all sources must keep among each other."""
    alone = scan.finish()
    if not scan.usable():
        return alone
    rows = _stacked(frames) if frames else nothing_of(spec)
    once = rows if spec.may_repeat else _distinct(rows, spec)
    among = Judge(spec.among_rows)
    together = among.judge(once)
    counts = _counts(alone.counts, together.kept, once)
    private = () if hide is None else spec.private
    hidden = [
        pl.Series(name, [hide(name, one) for one in once[name]])  # type: ignore[misc]  # not None
        for name in private
        if name in once.columns
    ]
    rejects = together.rejects
    if private:
        personal = pl.col("column").is_in(list(private))
        found = pl.when(personal).then(pl.lit(HIDDEN)).otherwise(pl.col("found"))
        rejects = rejects.with_columns(found.alias("found"))
    told = _told(rejects, once.with_columns(hidden))
    return CheckedTable(
        finished(together.kept, spec.columns),
        in_order(pl.concat([alone.rejects, told]), counts),
        alone.groups + among.groups(),
        alone.notes + among.notes() + _duplicate_notes(counts),
        counts,
    )


def _told(rejects: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows refused for what other rows say, with what they say themselves."""
    refused = rows.join(
        rejects.select(FILE, ROW), on=[FILE, ROW], how="semi", maintain_order="left"
    )
    said = refused.select(pl.exclude(FILE, ROW, f"^{RAW_PREFIX}.*$"))
    texts = refused.select(FILE, ROW, as_json(said).alias("raw"))
    return rejects.join(texts, on=[FILE, ROW], how="left", maintain_order="left")


def _stacked(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The rows of several files; a further column that they type differently becomes text."""
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


def _distinct(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """Rows told apart by what they say; in further columns too, where these are said of the row."""
    known = {column.name for column in spec.columns}
    said = [
        name
        for name, dtype in rows.schema.items()
        if (name in known or spec.further_count)
        and name not in (ROW, FILE)
        and not name.startswith(RAW_PREFIX)
        and not (dtype.is_nested() or dtype == pl.Object)
        and rows[name].null_count() < rows.height
    ]
    return rows.unique(subset=said, keep="first", maintain_order=True) if said else rows


def nothing_of(spec: TableSpec) -> pl.DataFrame:
    """A table of no rows, with the columns that one of rows would have."""
    return typed_rows(RawTable("", pl.DataFrame(), number_rows(0)), spec)


def finished(rows: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """The table's own columns, the file's further ones, and where each row came from."""
    names = [column.name for column in columns]
    further = [
        name
        for name in rows.columns
        if name not in (*names, ROW, FILE) and not name.startswith(RAW_PREFIX)
    ]
    return rows.select(*names, *further, ROW, FILE)


def _counts(
    alone: Sequence[TableCounts], kept: pl.DataFrame, once: pl.DataFrame
) -> tuple[TableCounts, ...]:
    per_file = [dict(frame[FILE].value_counts().iter_rows()) for frame in (kept, once)]
    counts = []
    for count in alone:
        n_kept, n_once = (by_file.get(count.file, 0) for by_file in per_file)
        twice = count.kept - n_once
        counts.append(
            replace(count, kept=n_kept, rejected=count.rows_in - n_kept - twice, duplicates=twice)
        )
    return tuple(counts)


def _duplicate_notes(counts: Sequence[TableCounts]) -> list[str]:
    return [
        f"{count.file}: rows left out because they repeat an earlier one: {count.duplicates:,}"
        for count in counts
        if count.duplicates
    ]
