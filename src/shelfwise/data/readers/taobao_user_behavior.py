"""Taobao UserBehavior: page views, carts, favourites and purchases of nine days in 2017.

Times are seconds since 1970, so no zone is assumed. The publisher says that the log runs from
25 November to 3 December 2017, Beijing time; some rows of the full file lie far outside, down to
times before 1970, and are left out. A row's kinds are ``pv``, ``cart``, ``fav`` and ``buy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.periods import Periods, periods_by_rows, split_toml
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import Layout, PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop, counts
from shelfwise.data.readers.typical import typical
from shelfwise.schema.event import EventKind

CARD = DatasetCard(
    name="taobao-user-behavior",
    title="User Behavior Data from Taobao for Recommendation",
    publisher="Alibaba, through Tianchi",
    url="https://tianchi.aliyun.com/dataset/649",
    terms="CC BY-NC-SA 4.0 according to Tianchi's page; confirm there before you use it",
    citation=(
        "Zhu, H., Li, X., Zhang, P., Li, G., He, J., Li, H., Gai, K. (2018): Learning Tree-based "
        "Deep Model for Recommender Systems. KDD 2018. arXiv:1801.02294"
    ),
    shows=(
        "the next behaviour of known users out of several kinds, and the speed of everything. "
        "Ids alone, without text or price; no impressions, so nothing about click-through"
    ),
    files=("UserBehavior.csv",),
)

COLUMNS = (
    PublishedColumn("user_id", "user", "id"),
    PublishedColumn("item_id", "item", "id"),
    PublishedColumn("category", "category", "id"),
    PublishedColumn("type", "behaviour", "text"),
    PublishedColumn("timestamp", "time", "seconds"),
)
_LAYOUT = Layout(headed=False, separator=",")

# Midnight in Beijing before the first day and after the last one.
FIRST = datetime(2017, 11, 24, 16, tzinfo=UTC)
END = datetime(2017, 12, 3, 16, tzinfo=UTC)

_KINDS: Mapping[str, str] = {
    "pv": EventKind.VIEW.value,
    "cart": EventKind.CART.value,
    "fav": EventKind.FAVOURITE.value,
    "buy": EventKind.PURCHASE.value,
}

_REASONS = (
    ("user, item, behaviour or time missing", missing("user_id", "item_id", "type", "timestamp")),
    ("behaviour not known", pl.col("event").is_null()),
    (
        "time outside the nine days the publisher names",
        (pl.col("timestamp") < FIRST) | (pl.col("timestamp") >= END),
    ),
)

_SHOP_TOML = """\
# Taobao UserBehavior, converted by `shelfwise datasets convert taobao-user-behavior`.
[shop]
name = "Taobao UserBehavior"

[match]
events = ["view", "favourite", "cart", "purchase"]
target = "next"  # the next thing of the user's sequence
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's table and what its rows become."""
    table = folder.table(COLUMNS, layout=_LAYOUT)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Every row as the event it names; every item known by its id and its category's."""
    kind = pl.col("type").replace_strict(_KINDS, default=None, return_dtype=pl.String)
    kept, left_out = sort_out(table.with_columns(event=kind), _REASONS, table.columns)
    periods = periods_by_rows(kept["timestamp"])
    return ConvertedShop(
        tables={
            "catalogue": _catalogue(kept, periods),
            "events": kept.sort("timestamp", "line").select(
                "event", "user_id", "item_id", "timestamp"
            ),
        },
        kept=counts(kept["event"]),
        left_out=left_out,
        shop_toml=_SHOP_TOML + split_toml(periods),
        changed={},
        found=_found(kept, table.columns[1:]),
    )


def _catalogue(kept: pl.DataFrame, periods: Periods | None) -> pl.DataFrame:
    items = kept.select("item_id").unique().sort("item_id")
    category = typical(kept, "category", periods or ())
    return items.join(category, on="item_id", how="left", maintain_order="left").select(
        "item_id", pl.format("category {}", "category").alias("category")
    )


def _found(kept: pl.DataFrame, published: list[str]) -> Mapping[str, int]:
    categories = kept.group_by("item_id").agg(pl.col("category").n_unique())
    return {
        "users": kept["user_id"].n_unique(),
        "items": categories.height,
        "categories": kept["category"].n_unique(),
        "items of several categories": categories.filter(pl.col("category") > 1).height,
        "rows that repeat another exactly": kept.height - kept.select(published).unique().height,
    }
