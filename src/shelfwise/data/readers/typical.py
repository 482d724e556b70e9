"""One value per item where the log wrote several, without looking ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl


def typical(rows: pl.DataFrame, value: str, starts: Sequence[datetime]) -> pl.DataFrame:
    """Each item's most frequent ``value`` within the first period in which it has any.

    ``starts`` are the first moments of validation and test: what an item was called in the
    test counts only for items that had not been seen before. Equal frequencies go to the
    value that sorts first, so that two conversions give the same catalogue.

    Args:
        rows: has ``item_id``, ``timestamp`` and the column ``value``; nulls are not counted.
    """
    period = pl.sum_horizontal(
        pl.lit(0), *[(pl.col("timestamp") >= start).cast(pl.Int32) for start in starts]
    )
    return (
        rows.filter(pl.col(value).is_not_null())
        .group_by("item_id", value, period.alias("period"))
        .len()
        .sort(["item_id", "period", "len", value], descending=[False, False, True, False])
        .unique("item_id", keep="first", maintain_order=True)
        .select("item_id", value)
    )
