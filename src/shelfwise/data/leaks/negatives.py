"""Negatives from the future: items or users that nobody could have passed over, for they were not
there yet."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from shelfwise.data.leaks.leak import Leak, joined, leak_of_rows


class Passed(NamedTuple):
    """Rows taken as "did not want": impressions without an answer, or drawn negatives."""

    rows: pl.DataFrame  # at (when it was passed over), and of item, owner those that are drawn
    first: pl.DataFrame | pl.LazyFrame  # raw events: at, item, owner; item may be null


def without_answer(impressions: pl.DataFrame) -> pl.DataFrame:
    """``item, at`` of the impressions that nothing came of: a log's own negatives."""
    nothing = pl.col("clicked_at").is_null() & pl.col("purchased_at").is_null()
    return impressions.filter(nothing).select("item", "at")


def leaks_in_negatives(passed: Passed) -> list[Leak]:
    """Negatives whose item, or whose owner, the log meets later only, or never."""
    return joined(
        leak_of_rows(f"{what} of the future stand as negatives", _not_there_yet(passed, name))
        for what, name in (("items", "item"), ("users", "owner"))
        if name in passed.rows.columns
    )


def _not_there_yet(passed: Passed, name: str) -> pl.DataFrame:
    first = (
        passed.first.lazy()
        .filter(pl.col(name).is_not_null())
        .group_by(pl.col(name).cast(pl.Int64))
        .agg(pl.col("at").min().alias("first_at"))
        .collect()
    )
    return (
        passed.rows.with_row_index("row")
        .with_columns(pl.col(name).cast(pl.Int64))
        .join(first, on=name, how="left", maintain_order="left")
        .filter((pl.col("first_at") > pl.col("at")).fill_null(True))
        .select("row", name, "at", "first_at")
    )
