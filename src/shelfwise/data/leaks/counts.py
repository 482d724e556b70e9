"""Counts that know the future: a sample of what rows were told, recounted from the raw events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from shelfwise.data.leaks.leak import Leak, leak_of_rows

_SAMPLED = 1_000  # rows recounted
_TOLERANCE = 1e-6  # of a count kept as float32, relative


class Counted(NamedTuple):
    """A point-in-time count: what rows were told, and the events that it counts."""

    name: str
    told: pl.DataFrame  # key, at (the row's own moment), count
    events: pl.DataFrame | pl.LazyFrame  # key, at


def leaks_in_counts(counted: Counted, *, seed: int = 0) -> list[Leak]:
    """Rows told of more events than had happened strictly before their own moment.

    Fewer are no leak: a count may stop at the last midnight, or forget what is long ago.
    """
    some = _sample(counted.told, seed)
    key = some.select(pl.col("key").unique())
    events = (
        counted.events.lazy()
        .select("key", "at")
        .join(key.lazy(), on="key", how="semi")
        .sort("key", "at")
        .with_columns(pl.int_range(1, pl.len() + 1).over("key").alias("happened"))
        .collect()
    )
    compared = some.sort("at").join_asof(
        events.sort("at", maintain_order=True),
        on="at",
        by="key",
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    happened = pl.col("happened").fill_null(0)
    wrong = compared.with_columns(happened).filter(
        pl.col("count") > happened * (1 + _TOLERANCE) + _TOLERANCE
    )
    what = f"{counted.name} counts what had not happened yet"
    return leak_of_rows(what, wrong.select("row", "key", "at", "count", "happened").sort("row"))


def _sample(told: pl.DataFrame, seed: int) -> pl.DataFrame:
    numbered = told.with_row_index("row")
    if len(told) <= _SAMPLED:
        return numbered
    rows = np.random.default_rng(seed).choice(len(told), _SAMPLED, replace=False)
    return numbered[np.sort(rows)]
