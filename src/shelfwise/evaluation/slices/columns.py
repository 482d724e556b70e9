"""Every column that the shop's files tell of an impression, laid beside it row by row.

The event's own, its item's and its user's: declared features, and of the catalogue also what every
shop may have. Whether a column is a slice or a leak is for others to say.

Shape suffixes in this file: N = impressions, V = items.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import polars as pl

from shelfwise.data.features.options import FeatureType
from shelfwise.data.prepared import PreparedShop

_MOST_ATTRIBUTES = 20  # keys of the attributes' JSON objects, the commonest ones
_PLAIN = ("category", "brand", "price", "language", "domain", "available")


def item_columns(prepared: PreparedShop) -> pl.DataFrame:
    """``[V]`` rows: columns of the catalogue, ``catalogue.NAME``; attributes one by one."""
    items = prepared.items
    names = [*_PLAIN, *prepared.options.features.items]
    kept = items.select(
        _as_told(name, prepared.options.features.items.get(name)).alias(f"catalogue.{name}")
        for name in names
        if name in items.columns
    )
    return pl.concat([kept, _attributes(items["attributes"])], how="horizontal")


def _attributes(column: pl.Series) -> pl.DataFrame:
    """A column for each of the commonest keys; numbers where all its values are numbers."""
    objects = [_object(text) for text in column]
    counts = Counter(key for found in objects for key in found)
    return pl.DataFrame(
        [
            _of_key(f"catalogue.attributes.{key}", [found.get(key) for found in objects])
            for key, _ in counts.most_common(_MOST_ATTRIBUTES)
        ]
    )


def _object(text: str | None) -> dict[str, object]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_key(name: str, values: list[object]) -> pl.Series:
    words = pl.Series(
        name, [None if value in (None, "") else str(value) for value in values], pl.String
    )
    numbers = words.cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == words.null_count() else words


def impression_columns(prepared: PreparedShop, shown: pl.DataFrame) -> pl.DataFrame:
    """``[N]`` rows: all columns of the rows ``shown``.

    Args:
        prepared: the shop.
        shown: ``request`` and ``item`` of each row, numbers, in any order.
    """
    features = prepared.options.features
    of_shown = [name for name in features.events if name in prepared.impressions.columns]
    of_request = [
        name
        for name in features.events
        if name in prepared.requests.columns and name not in of_shown
    ]
    keys = shown.select(pl.col("request", "item").cast(pl.Int64)).with_columns(
        owner=prepared.requests["owner"].cast(pl.Int64).gather(shown["request"].cast(pl.Int64))
    )
    parts = [
        _gathered(
            _named(prepared.requests, of_request, features.events, "events"), keys["request"]
        ),
        _gathered(item_columns(prepared), keys["item"]),
    ]
    if features.users and len(prepared.users):
        users = _named(prepared.users, list(features.users), features.users, "users").with_columns(
            owner=prepared.users["owner"].cast(pl.Int64)
        )
        parts.append(
            keys.join(users, on="owner", how="left", maintain_order="left").drop(keys.columns)
        )
    if of_shown:
        pair = ["request", "item"]
        rows = _named(prepared.impressions, of_shown, features.events, "events").with_columns(
            prepared.impressions.select(pl.col(pair).cast(pl.Int64))
        )
        rows = rows.unique(pair, keep="first", maintain_order=True)
        parts.append(keys.join(rows, on=pair, how="left", maintain_order="left").drop(keys.columns))
    return pl.concat(parts, how="horizontal")


def _named(
    table: pl.DataFrame, names: list[str], types: Mapping[str, FeatureType], prefix: str
) -> pl.DataFrame:
    return table.select(
        _as_told(name, types.get(name)).alias(f"{prefix}.{name}")
        for name in names
        if name in table.columns
    )


def _as_told(name: str, kind: FeatureType | None) -> pl.Expr:
    """A number where it was declared one, words where it was declared anything else."""
    if kind is None:
        return pl.col(name)
    return pl.col(name).cast(pl.Float64 if kind == "number" else pl.String, strict=False)


def _gathered(table: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    return table[rows.cast(pl.Int64)] if table.width else pl.DataFrame()
