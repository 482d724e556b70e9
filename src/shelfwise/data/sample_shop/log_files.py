"""Writes events and truth piece by piece, so that a log of many millions fits in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from shelfwise.data.sample_shop.tables import event_table, truth_table

_ROWS_AT_ONCE = 500_000


def write_events(file: Path, ordered: pl.DataFrame, queries: pl.Series, start: datetime) -> None:
    """``ordered`` in words and ids, as one Parquet file."""
    _write(file, ordered, lambda part: event_table(part, queries, start))


def write_truth(file: Path, ordered: pl.DataFrame, window_days: int) -> None:
    """What only the generator knows of each impression, as one Parquet file."""
    _write(file, ordered, lambda part: truth_table(part, window_days))


def _write(
    file: Path, ordered: pl.DataFrame, table: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    schema = table(ordered.clear()).to_arrow().schema
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in ordered.iter_slices(_ROWS_AT_ONCE):
            writer.write_table(table(part).to_arrow().cast(schema))
