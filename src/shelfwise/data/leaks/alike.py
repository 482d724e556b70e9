"""Rows that say the same, found in the memory of one number a row."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def alike(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Rows that share their values of ``columns`` (null being one) with another row, in order."""
    # Few rows share a hash; only these are compared in full.
    hashed = rows.filter(rows.select(columns).hash_rows().is_duplicated())
    return hashed.filter(hashed.select(columns).is_duplicated())
