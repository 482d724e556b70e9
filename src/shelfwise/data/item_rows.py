"""Every item of a shop under its number: those of the catalogue, then those that only the log or
the judgements know."""

from __future__ import annotations

import hashlib

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.features.declared import typed_features
from shelfwise.data.text import item_texts
from shelfwise.schema.columns import CATALOGUE

_TYPES = {"price": pl.Float64, "available": pl.Boolean}


def number_items(
    catalogue: pl.DataFrame | None,
    logged: pl.Series,
    judged: pl.DataFrame | None,
    options: DataOptions,
) -> pl.DataFrame:
    """Items of the catalogue, then others, each by id, with the text of each.

    The order of rows in a source means nothing: a database answers in any.

    Args:
        catalogue: the shop's own, or None.
        logged: ids of items in the log.
        judged: judgements with ``item_id`` and ``title``, as `with_item_ids` returns them.
        options: features of items, and how items are written.
    """
    features = list(options.features.items)
    columns = [*(column.name for column in CATALOGUE), *features]
    known = pl.DataFrame(schema={"item_id": pl.String}) if catalogue is None else catalogue
    others = [logged.rename("item_id").to_frame()]
    if judged is not None:
        others.append(judged.group_by("item_id").agg(pl.col("title").min()))
    blank = (
        pl.concat(others, how="diagonal")
        .group_by("item_id")
        .agg(pl.all().drop_nulls().first())
        .join(known, on="item_id", how="anti")
        .sort("item_id")
    )
    known = known.with_columns(typed_features(known, options.features.items))
    known = known.select(name for name in columns if name in known.columns).sort("item_id")
    items = pl.concat([known, blank], how="diagonal")
    missing = [name for name in columns if name not in items.columns]
    items = items.with_columns(
        pl.lit(None, _TYPES.get(name, pl.String)).alias(name) for name in missing
    )
    return items.select(columns).with_columns(item_texts(items, options.text).alias("text"))


def with_item_ids(judgements: pl.DataFrame) -> pl.DataFrame:
    """Judgements of which each names its item; one known by its title alone gets an id from it."""
    titles = judgements.filter(pl.col("item_id").is_null())["title"].unique()
    ids = pl.Series([_id_of(title) for title in titles], dtype=pl.String)
    named = pl.col("title").replace_strict(titles, ids, default=None, return_dtype=pl.String)
    return judgements.with_columns(pl.coalesce("item_id", named).alias("item_id"))


def _id_of(title: str) -> str:
    return f"title:{hashlib.sha256(title.encode()).hexdigest()[:16]}"
