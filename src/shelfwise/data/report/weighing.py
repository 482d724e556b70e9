"""What weighing does to the head and the tail."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.weights import weight_effect


@dataclass(frozen=True, slots=True)
class WeightShare:
    """One end of the items or of the shoppers, among training rows."""

    of: str  # "item" or "owner"
    group: str  # "head": the 20 % with most rows; "tail": all others
    size: int
    rows: int
    before: float  # share of all rows
    after: float  # share of all weight


def weighing(requests: pl.DataFrame, positives: pl.DataFrame) -> tuple[WeightShare, ...]:
    """Of the positives of training; empty where they carry no weights.

    Args:
        requests: of a prepared folder, with ``owner`` and ``part``.
        positives: of the same, with ``request``, ``item`` and, if they are weighed, ``weight``.
    """
    if "weight" not in positives.columns:
        return ()
    asked = requests.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("request"), "owner", "part"
    )
    rows = (
        positives.with_columns(pl.col("request").cast(pl.Int64))
        .join(asked, on="request")
        .filter(pl.col("part").cast(pl.String) == "train")
        .select("owner", "item", "weight")
    )
    return tuple(WeightShare(*row) for row in weight_effect(rows).iter_rows())
