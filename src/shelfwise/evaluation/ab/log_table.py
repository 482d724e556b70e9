"""A log in a single file, for those who have no shop folder: Parquet or CSV, own column names."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shelfwise.schema.errors import DataError


def read_log_table(path: Path) -> pl.DataFrame:
    """The events of a Parquet or CSV file, its ``timestamp`` in UTC.

    Raises:
        DataError: the file cannot be read, or its times cannot.
    """
    try:
        if path.suffix == ".parquet":
            table = pl.read_parquet(path, glob=False)
        else:
            table = pl.read_csv(path, infer_schema=False, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        told = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read ({told}); bring a Parquet or a CSV file") from None
    if "timestamp" not in table.columns:
        return table
    if table["timestamp"].dtype != pl.String:
        return table.with_columns(_in_utc(pl.col("timestamp"), table["timestamp"].dtype))
    try:
        moment = pl.col("timestamp").str.to_datetime(time_zone="UTC", strict=True)
        return table.with_columns(moment)
    except pl.exceptions.PolarsError:
        raise DataError(
            f"{path}: column timestamp: not all of its values are ISO 8601 moments, such as "
            f"{table['timestamp'].drop_nulls().head(1).to_list()}"
        ) from None


def _in_utc(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        return column.dt.replace_time_zone("UTC")
    return column
