"""What a shop says of its users, under the numbers of their owners."""

from __future__ import annotations

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.features.declared import typed_features
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
    told = pl.DataFrame([users["owner_id"], *typed_features(users, features)])
    return numbers.join(told, on="owner_id").drop("owner_id").sort("owner")
