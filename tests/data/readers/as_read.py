"""Published rows written down in a test, typed as reading them would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from shelfwise.data.readers.published_table import Kind, PublishedColumn

_DTYPES: Mapping[Kind, pl.DataType | type[pl.DataType]] = {
    "text": pl.String,
    "id": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "time": pl.Datetime("us", "UTC"),
    "seconds": pl.Datetime("us", "UTC"),
}


def as_read(columns: Sequence[PublishedColumn], *rows: Mapping[str, object]) -> pl.DataFrame:
    """The rows with ``line``; what a row does not say is an empty cell."""
    numbered = [{"line": number, **row} for number, row in enumerate(rows, start=1)]
    schema = {"line": pl.Int64, **{column.name: _DTYPES[column.kind] for column in columns}}
    return pl.DataFrame(numbered, schema=schema)


def said(frame: pl.DataFrame) -> list[dict[str, object]]:
    """Rows without their empty cells."""
    return [
        {name: value for name, value in row.items() if value is not None}
        for row in frame.to_dicts()
    ]
