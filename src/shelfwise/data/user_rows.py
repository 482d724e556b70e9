"""What a shop says of its users, under the numbers of their owners."""

from __future__ import annotations

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.source.typed import as_text
from shelfwise.data.stage import Owners


def user_rows(users: pl.DataFrame | None, owners: Owners, options: DataOptions) -> pl.DataFrame:
    """``owner`` and the features of users whose behaviour the log has.

    Args:
        users: ``owner_id`` (pseudonym) and further columns; None where the shop has no such table.
        owners: everybody in the log.
        options: which columns are features.
    """
    features = options.features.users
    numbers = (
        owners.names()
        .to_frame()
        .with_row_index("owner")
        .select(pl.col("owner").cast(pl.Int64), "owner_id")
    )
    if users is None or not features:
        return numbers.head(0).select("owner")
    columns = [
        as_text(users[name]).cast(pl.Float64, strict=False)
        if kind == "number"
        else as_text(users[name])
        for name, kind in features.items()
        if name in users.columns
    ]
    told = pl.DataFrame([users["owner_id"], *columns])
    return numbers.join(told, on="owner_id").drop("owner_id").sort("owner")
