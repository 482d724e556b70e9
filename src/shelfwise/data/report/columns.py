"""What is missing in each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from shelfwise.data.report.thin_log import collect
from shelfwise.schema.columns import Column

_OURS = ("row", "file")


@dataclass(frozen=True, slots=True)
class ColumnFill:
    """How many rows of a table say something in a column."""

    name: str
    rows: int
    missing: int
    known: bool  # one of Shelfwise's own columns; others are carried along
    meaning: str  # "" for others

    @property
    def absent(self) -> bool:
        """Whether no row says anything, as where the files lack the column."""
        return self.missing == self.rows


@dataclass(frozen=True, slots=True)
class TableFill:
    table: str
    columns: tuple[ColumnFill, ...]


def table_fill(name: str, table: pl.LazyFrame, columns: Sequence[Column]) -> TableFill:
    """Missing values of every column, Shelfwise's own first."""
    ours = {column.name: column.meaning for column in columns}
    names = [found for found in table.collect_schema().names() if found not in _OURS]
    order = [*(n for n in ours if n in names), *(n for n in names if n not in ours)]
    counts = collect(
        table.select(
            pl.len().alias("row"), *(pl.col(found).null_count().alias(found) for found in order)
        )
    ).row(0, named=True)
    return TableFill(
        name,
        tuple(
            ColumnFill(found, counts["row"], counts[found], found in ours, ours.get(found, ""))
            for found in order
        ),
    )
