"""What a model would be offered of each impression, laid beside what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.features.options import FeatureOptions, FeatureType
from shelfwise.data.leaks.labels import MOST_ROWS, Offered
from shelfwise.data.parts import Asked


def offered_features(
    asked: Asked, users: pl.DataFrame, options: FeatureOptions, *, seed: int = 0
) -> tuple[Offered, ...]:
    """A sample of the impressions with every configured feature; nothing where none is.

    Labels are ``clicked`` and, of what was clicked, ``purchased``.

    Args:
        asked: requests, impressions and items with their feature columns.
        users: ``owner`` and feature columns.
        options: which columns are features, by table.
        seed: draws the sample.
    """
    shown = asked.impressions.with_row_index("row")
    if shown.is_empty() or not (options.events or options.items or options.users):
        return ()
    if len(shown) > MOST_ROWS:
        shown = shown.sample(MOST_ROWS, seed=seed)
    # What differs within a request stands beside its impressions.
    of_shown = {name: kind for name, kind in options.events.items() if name in shown.columns}
    of_request = {name: kind for name, kind in options.events.items() if name not in of_shown}
    tables = (
        ("row", "events", shown, of_shown),
        ("request", "events", asked.requests, of_request),
        ("item", "items", asked.items.with_row_index("item"), options.items),
        ("owner", "users", users, options.users),
    )
    clicked = pl.col("clicked_at").is_not_null()
    bought = pl.when(clicked).then(pl.col("purchased_at").is_not_null())
    rows = shown.select(
        pl.col("row", "request", "item").cast(pl.Int64),
        clicked.alias("clicked"),
        bought.alias("purchased"),
    ).join(
        asked.requests.select(pl.col("request").cast(pl.Int64), pl.col("owner").cast(pl.Int64)),
        on="request",
    )
    names: list[str] = []
    for key, table, features_of, features in tables:
        told = _told(features_of, key, table, features)
        rows = rows.join(told, on=key, how="left")
        names += told.columns[1:]
    rows = rows.drop("row", "request", "item", "owner")
    return (Offered(rows, ("clicked", "purchased"), tuple(names)),)


def _told(
    rows: pl.DataFrame, key: str, table: str, features: Mapping[str, FeatureType]
) -> pl.DataFrame:
    """The key and its features, named ``table.feature``; numbers as numbers."""
    kept = {name: kind for name, kind in features.items() if name in rows.columns}
    return rows.select(
        pl.col(key).cast(pl.Int64),
        *(
            pl.col(name)
            .cast(pl.Float64 if kind == "number" else pl.String, strict=False)
            .alias(f"{table}.{name}")
            for name, kind in kept.items()
        ),
    )
