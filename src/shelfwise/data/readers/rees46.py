"""REES46 multi-category store: views, carts and purchases with sessions, from October 2019 on.

Times are written with their zone, UTC. Categories and brands are words; products have no title.
The publisher does not say in which currency prices are.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.periods import Periods, periods_by_rows, split_toml
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop, counts
from shelfwise.data.readers.typical import typical
from shelfwise.schema.event import EventKind

CARD = DatasetCard(
    name="rees46",
    title="eCommerce behavior data from multi category store",
    publisher="REES46 Marketing Platform (Michael Kechinov), through Kaggle",
    url="https://www.kaggle.com/datasets/mkechinov/ecommerce-behavior-data-from-multi-category-store",
    terms=(
        "free to use, naming the source with a link to it, according to the publisher's page; "
        "confirm there before you redistribute"
    ),
    citation=(
        "Kechinov, M. (2019): eCommerce behavior data from multi category store. "
        "REES46 Marketing Platform, https://rees46.com"
    ),
    shows=(
        "views, carts and purchases in sessions of known users, with category and brand in words. "
        "No impressions, no searches and no titles, so nothing about click-through"
    ),
    files=tuple(
        f"{month}.csv"
        for month in (
            *("2019-Oct", "2019-Nov", "2019-Dec"),
            *("2020-Jan", "2020-Feb", "2020-Mar", "2020-Apr"),
        )
    ),
)

COLUMNS = (
    PublishedColumn("timestamp", "event_time", "time"),
    PublishedColumn("type", "event_type", "text"),
    PublishedColumn("item_id", "product_id", "id"),
    PublishedColumn("category_id", "category_id", "id"),
    PublishedColumn("category", "category_code", "text"),
    PublishedColumn("brand", "brand", "text"),
    PublishedColumn("price", "price", "number"),
    PublishedColumn("user_id", "user_id", "id"),
    PublishedColumn("session_id", "user_session", "id"),
)

_KINDS: Mapping[str, str] = {
    "view": EventKind.VIEW.value,
    "cart": EventKind.CART.value,
    "purchase": EventKind.PURCHASE.value,
}

_REASONS = (
    ("time, product or type missing", missing("timestamp", "item_id", "type")),
    ("neither user nor session", pl.col("user_id").is_null() & pl.col("session_id").is_null()),
    ("type of event not known", pl.col("event").is_null()),
    ("price below zero", pl.col("price") < 0),
)

_SHOP_TOML = """\
# REES46 multi-category store, converted by `shelfwise datasets convert rees46`.
[shop]
name = "Multi-category store (REES46)"
currency = "XXX"  # not published; ISO 4217 for "no currency"

[match]
events = ["view", "cart", "purchase"]
target = "next"  # the next thing of the user's sequence

[text]
fields = ["category", "brand", "price"]

[features.items]
category_id = "category"  # known of every product, the words are not
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's table and what its rows become."""
    table = folder.table(COLUMNS)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Every row as the event it names; every product as an item of category and brand."""
    kind = pl.col("type").replace_strict(_KINDS, default=None, return_dtype=pl.String)
    kept, left_out = sort_out(table.with_columns(event=kind), _REASONS, table.columns)
    periods = periods_by_rows(kept["timestamp"])
    return ConvertedShop(
        tables={"catalogue": _catalogue(kept, periods), "events": _events(kept)},
        kept=counts(kept["event"]),
        left_out=left_out,
        shop_toml=_SHOP_TOML + split_toml(periods),
        changed={},
        found=_found(kept, table.columns[1:]),
    )


def _events(kept: pl.DataFrame) -> pl.DataFrame:
    return kept.sort("timestamp", "line").select(
        "event", "user_id", "session_id", "item_id", "timestamp", "price"
    )


def _catalogue(kept: pl.DataFrame, periods: Periods | None) -> pl.DataFrame:
    """What a product is called decides `typical`; its price is that of its first row."""
    items = kept.sort("timestamp", "line").group_by("item_id").agg(pl.col("price").first())
    for name in ("category", "brand", "category_id"):
        values = typical(kept, name, periods or ())
        items = items.join(values, on="item_id", how="left")
    return items.sort("item_id").select(
        "item_id",
        # appliances.kitchen.refrigerators, coffee_grinder
        pl.col("category").str.replace_all(".", " > ", literal=True).str.replace_all("_", " "),
        "brand",
        "price",
        pl.lit("en").alias("language"),
        "category_id",
    )


def _found(kept: pl.DataFrame, published: list[str]) -> Mapping[str, int]:
    users = pl.col("user_id").n_unique()
    products = kept.group_by("item_id").agg(pl.col("category", "brand", "price").n_unique())
    named = kept.group_by("item_id").agg(pl.col("category", "brand").is_not_null().any())
    return {
        "users": kept["user_id"].n_unique(),
        "sessions": kept["session_id"].n_unique(),
        "sessions of several users": kept.group_by("session_id")
        .agg(users)
        .filter(pl.col("user_id") > 1)
        .height,
        "products": products.height,
        "products without a category in words": named.filter(~pl.col("category")).height,
        "products without a brand": named.filter(~pl.col("brand")).height,
        "products whose price varies": products.filter(pl.col("price") > 1).height,
        "rows of price 0": kept.filter(pl.col("price") == 0).height,
        "rows that repeat another exactly": kept.height - kept.select(published).unique().height,
    }
