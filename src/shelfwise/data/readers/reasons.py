"""Which published rows are kept, and why the others are not."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def sort_out(
    rows: pl.DataFrame, reasons: Sequence[tuple[str, pl.Expr]], published: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of which no reason is true, and the others with the first that is.

    Args:
        rows: published rows, with what was derived from them.
        reasons: in order, why a row is left out and when.
        published: the columns that a row left out is shown by.
    """
    first_true = pl.coalesce(
        [
            *(pl.when(rule).then(pl.lit(reason)) for reason, rule in reasons),
            pl.lit(None, dtype=pl.String),
        ]
    )
    judged = rows.with_columns(first_true.alias("reason"))
    kept = judged.filter(pl.col("reason").is_null()).drop("reason")
    return kept, judged.filter(pl.col("reason").is_not_null()).select(*published, "reason")


def missing(*columns: str) -> pl.Expr:
    """Whether any of the columns is empty."""
    return pl.any_horizontal(pl.col(*columns).is_null())
