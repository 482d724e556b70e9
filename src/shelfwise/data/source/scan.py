"""The rows of a table, read part by part and held against its rules; and what is wrong with them.

What is told in the end is of all parts together, so that a table larger than memory is judged as
one that fits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from shelfwise.data.source.fault import EXAMPLES_KEPT, Fault, FaultGroup, Reason, group
from shelfwise.data.source.raw import RawTable, Source
from shelfwise.data.source.rules import REJECTS, Judge, Rule
from shelfwise.data.source.typed import FILE, ROW, find_columns, missing_column, typed
from shelfwise.data.units import Units
from shelfwise.schema.columns import PERSONAL, Column

Hide = Callable[[str, object], object]  # of a column's name and a personal id in it
HIDDEN = "(hidden)"

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
    units: Units = field(default_factory=dict)  # of columns, where they are not our own
    translate: Callable[[pl.DataFrame], pl.DataFrame] = _same  # typed rows, before the rules
    may_repeat: bool = False  # exact duplicates stay
    further_count: bool = False  # rows that differ in further columns alone are different
    private: tuple[str, ...] = ()  # columns that hold personal ids


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """What is left of a table, and what is not."""

    frame: pl.DataFrame | None  # None: no source of it could be used
    rejects: pl.DataFrame  # as REJECT_ROWS
    groups: list[FaultGroup]
    notes: list[str]
    counts: tuple[TableCounts, ...]  # one a source


@dataclass(slots=True)
class _Seen:
    """What became of one source's rows."""

    name: str
    rows_in: int = 0
    kept: int = 0
    unusable: bool = False


class TableScan:
    """Reads the sources of one table, part by part, and holds every row against the rules."""

    def __init__(self, spec: TableSpec, hide: Hide | None = None) -> None:
        """``hide`` turns a personal id into what rejects may show of it."""
        self._spec = spec
        self._hide = hide
        self._judge = Judge(spec.rules)
        self._seen: list[_Seen] = []
        self._of_sources: list[Fault] = []
        self._of_lines: list[Fault] = []
        self._more_lines: Counter[tuple[str, str]] = Counter()
        self._rejects: list[pl.DataFrame] = []

    def read(self, source: Source) -> Iterator[pl.DataFrame]:
        """The rows of a source that keep the rules, typed; unlike duplicates, which stay."""
        seen = _Seen(source.name)
        self._seen.append(seen)
        columns: dict[str, None] = {}
        for number, raw in enumerate(source.read()):
            seen.rows_in += raw.rows_in
            columns |= dict.fromkeys(raw.frame.columns)
            if number == 0 and source.fixed_columns and not raw.unusable:
                faults = _column_faults(raw.file, raw.frame.columns, self._spec)
                raw = replace(raw, faults=(*raw.faults, *faults))
            self._tell(raw)
            if raw.unusable:
                seen.unusable = seen.kept == 0
                self._rejects.append(_whole_file(raw, self._hide))
                # Nothing of such a file is kept; its remaining rows are counted all the same.
                continue
            if seen.unusable:
                told = replace(raw, faults=tuple(self._fatal(seen)))
                self._rejects.append(_whole_file(told, self._hide))
                continue
            kept = self._judged(raw)
            seen.kept += kept.height
            if kept.height:
                yield kept
        if not source.fixed_columns and columns and not seen.unusable:
            # A column may appear in any row, so only the whole tells what is missing.
            self._of_sources += _column_faults(source.name, list(columns), self._spec)
            seen.unusable = seen.kept == 0 and bool(self._fatal(seen))

    def _fatal(self, seen: _Seen) -> list[Fault]:
        return [fault for fault in self._of_sources if fault.fatal and fault.file == seen.name][:1]

    def _tell(self, raw: RawTable) -> None:
        self._of_sources += raw.faults
        for refusal in raw.refused:
            key = (raw.file, refusal.reason.code)
            self._more_lines[key] += 1
            if self._more_lines[key] <= EXAMPLES_KEPT:
                self._of_lines.append(refusal.fault(raw.file))

    def _judged(self, raw: RawTable) -> pl.DataFrame:
        rows = typed_rows(raw, self._spec)
        found = self._judge.judge(rows)
        refused = _rejects(raw, found.rejects, self._private(raw), self._hide)
        self._rejects.append(refused)
        return found.kept

    def _private(self, raw: RawTable) -> dict[str, str]:
        """The source's own names of columns that hold personal ids."""
        if not self._spec.private:
            return {}
        have = find_columns(raw.frame.columns, self._spec.columns, self._spec.own_names)
        named_so = {own: own for own in raw.frame.columns if own in PERSONAL}
        return named_so | {own: name for name, own in have.items() if name in self._spec.private}

    def rows_in(self, name: str) -> int:
        """Rows read of a source so far."""
        return sum(seen.rows_in for seen in self._seen if seen.name == name)

    def usable(self) -> bool:
        """Whether any source could be used."""
        return any(not seen.unusable for seen in self._seen)

    def finish(self) -> CheckedTable:
        """What is to tell of all sources; ``kept`` still counts rows that repeat another."""
        rejects = pl.concat([pl.DataFrame(schema=REJECT_ROWS), *self._rejects])
        counts = tuple(
            TableCounts(seen.name, seen.rows_in, seen.kept, seen.rows_in - seen.kept, 0)
            for seen in self._seen
        )
        return CheckedTable(
            None,
            in_order(_with_codes(rejects, self._judge.wrong_types()), counts),
            group(self._of_sources) + self._line_groups() + self._judge.groups(),
            self._judge.notes(),
            counts,
        )

    def _line_groups(self) -> list[FaultGroup]:
        return [
            FaultGroup(self._more_lines[one.file, one.code], one.examples)
            for one in group(self._of_lines)
        ]


def _column_faults(file: str, found: Sequence[str], spec: TableSpec) -> list[Fault]:
    have = find_columns(found, spec.columns, spec.own_names)
    faults = [
        missing_column(file, found, needed, spec.section)
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
                ).at_file(file, f"no {own}; found columns: {', '.join(found)}", column=name)
            )
    return faults


def typed_rows(raw: RawTable, spec: TableSpec) -> pl.DataFrame:
    own_names = find_columns(raw.frame.columns, spec.columns, spec.own_names)
    rows = typed(raw, spec.columns, own_names, spec.zone, spec.units)
    return spec.translate(rows)


def _rejects(
    raw: RawTable, judged: pl.DataFrame, private: Mapping[str, str], hide: Hide | None
) -> pl.DataFrame:
    """The refused rows of a part, each as its source has it, in the source's order."""
    texts = _as_json(raw, judged[ROW], private, hide)
    told = judged.with_columns(pl.Series("raw", [texts[row] for row in judged[ROW]], pl.String))
    unread = pl.DataFrame([r.reject(raw.file) for r in raw.refused], schema=REJECT_ROWS)
    if hide is not None:
        # Where the columns of a line are not known, nobody knows whose id stands in it.
        unread = unread.with_columns(
            pl.lit(HIDDEN).alias("found"), pl.lit(None, pl.String).alias("raw")
        )
        bad_id = pl.col("column").is_in(list(private.values())) & (pl.col("found") != "(empty)")
        told = told.with_columns(
            pl.when(bad_id).then(pl.lit(HIDDEN)).otherwise(pl.col("found")).alias("found")
        )
    return pl.concat([unread, told]).sort(ROW)


def in_order(rejects: pl.DataFrame, counts: Sequence[TableCounts]) -> pl.DataFrame:
    """Refused rows by source, in the order of ``counts``, and by row."""
    place = {count.file: number for number, count in enumerate(counts)}
    of_file = pl.col(FILE).replace_strict(place, return_dtype=pl.Int64)
    return rejects.sort(of_file, ROW, maintain_order=True)


def _with_codes(rejects: pl.DataFrame, wrong: Mapping[tuple[str, str, str], str]) -> pl.DataFrame:
    """Rows that a column of the wrong type costs say so."""
    for (file, column, code), new in wrong.items():
        meant = (pl.col(FILE) == file) & (pl.col("column") == column) & (pl.col("code") == code)
        rejects = rejects.with_columns(
            pl.when(meant).then(pl.lit(new)).otherwise(pl.col("code")).alias("code")
        )
    return rejects


def _whole_file(raw: RawTable, hide: Hide | None) -> pl.DataFrame:
    """Every row of a file that cannot be used, refused for what is wrong with the file.

    The rows themselves are not repeated: the file has them.
    """
    fault = next(fault for fault in raw.faults if fault.fatal)
    rows = pl.concat([raw.row, pl.Series([r.row for r in raw.refused], dtype=pl.Int64)]).sort()
    same = {name: getattr(fault, name) for name in ("file", "column", "code", "found", "rule")}
    if hide is not None:
        same["found"] = HIDDEN  # of a file without a header, its first row may be told
    told = pl.DataFrame({"row": rows}).with_columns(
        *(pl.lit(value).alias(name) for name, value in same.items()),
        pl.lit(None, pl.String).alias("raw"),
    )
    return told.select(REJECT_ROWS.names())


def _as_json(
    raw: RawTable, rows: pl.Series, private: Mapping[str, str], hide: Hide | None
) -> dict[int, str]:
    wanted = raw.row.is_in(rows.implode())
    texts = {}
    for row, values in zip(
        raw.row.filter(wanted), raw.frame.filter(wanted).iter_rows(named=True), strict=True
    ):
        if hide is not None:
            values |= {own: hide(name, values[own]) for own, name in private.items()}
        texts[row] = json.dumps(values, ensure_ascii=False, default=str)
    return texts
