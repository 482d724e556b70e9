"""Ali-CCP (Alibaba Click and Conversion Prediction), in the flat form of Torch-RecHub.

That form joins the published features to the samples and numbers every id anew; 0 stands for an
id that is absent or that training has less than ten times. So a user 0 is nobody, and his row a
session of its own; the item 0 is many items, and nothing is said of it.

The set has no times. A row's place in the file is its ``sequence``: that keeps rows apart and in
one order, and no claim about time can rest on it. A row is its own request; a click and a purchase
are those of its row.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.feature_section import features_toml, types_of
from shelfwise.data.readers.outcomes import events_of
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.data.readers.typical import typical
from shelfwise.schema.event import EventKind, Surface

CARD = DatasetCard(
    name="ali-ccp",
    title="Ali-CCP: Alibaba Click and Conversion Prediction",
    publisher="Alibaba, through Tianchi; flat form by Torch-RecHub",
    url="https://tianchi.aliyun.com/dataset/408",
    terms="for research, according to Tianchi's page; confirm there before you use it",
    citation=(
        "Ma, X., Zhao, L., Huang, G., Wang, Z., Hu, Z., Zhu, X., Gai, K. (2018): Entire Space "
        "Multi-Task Model: An Effective Approach for Estimating Post-Click Conversion Rate. "
        "SIGIR. arXiv:1804.07931"
    ),
    shows=(
        "impressions with clicks and the purchases after them, over numbered features. No times, "
        "no text, and the flat form merges all rare items. Tried here on 100 rows only"
    ),
    files=("ali_ccp_train.csv", "ali_ccp_train_sample.csv", "ali_ccp_100.csv"),
)

# The publisher's fields of each side, under the names of Tianchi's description.
_USER = {
    "profile_category": "121",
    "profile_group": "122",
    "gender": "124",
    "age": "125",
    "consumption_1": "126",
    "consumption_2": "127",
    "working": "128",
    "geography": "129",
}
_ITEM = {"category": "206", "shop": "207", "intention": "210", "brand": "216"}
_CONTEXT = {
    "placement": "301",
    "history_category": "109_14",
    "history_shop": "110_14",
    "history_brand": "127_14",
    "history_intention": "150_14",
    "history_and_category": "508",
    "history_and_shop": "509",
    "history_and_brand": "702",
    "history_and_intention": "853",
}
_WEIGHTS = {
    f"{name}_weight": f"D{field}" for name, field in _CONTEXT.items() if name != "placement"
}
_OF_USER = tuple(PublishedColumn(name, field, "id") for name, field in _USER.items())
_OF_ITEM = tuple(PublishedColumn(name, field, "id") for name, field in _ITEM.items())
_OF_ROW = (
    *(PublishedColumn(name, field, "id") for name, field in _CONTEXT.items()),
    *(PublishedColumn(name, field, "number") for name, field in _WEIGHTS.items()),
)
COLUMNS = (
    PublishedColumn("clicked", "click", "integer"),
    PublishedColumn("bought", "purchase", "integer"),
    PublishedColumn("user_id", "101", "id"),
    PublishedColumn("item_id", "205", "id"),
    *_OF_USER,
    *_OF_ITEM,
    *_OF_ROW,
)
_UNKNOWN = "0"

_REASONS = (
    ("user or item missing", missing("user_id", "item_id")),
    ("click or purchase not said", missing("clicked", "bought")),
    ("bought without a click", (pl.col("bought") == 1) & (pl.col("clicked") != 1)),
)

_SHOP_TOML = """\
# Ali-CCP, converted by `shelfwise datasets convert ali-ccp`.
[shop]
name = "Ali-CCP (Taobao)"

[split]
kind = "cold_items"  # without times no moment parts the log; an item is in one part

[match]
events = ["click", "purchase"]
target = "next"
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The flat table and what its rows become."""
    table = folder.table(COLUMNS)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Every row as an impression, with its click and its purchase; users and items by number."""
    shown, left_out = sort_out(table, _REASONS, table.columns)
    return ConvertedShop(
        tables={
            "catalogue": _catalogue(shown),
            "events": _events(shown),
            "users": _users(shown),
        },
        kept={"impression": shown.height},
        left_out=left_out,
        shop_toml=_SHOP_TOML
        + features_toml("events", types_of(_OF_ROW))
        + features_toml("items", {"shop": "category", "intention": "category"})
        + features_toml("users", types_of(_OF_USER)),
        changed={},
        found=_found(shown),
    )


def _events(shown: pl.DataFrame) -> pl.DataFrame:
    row = pl.col("line").cast(pl.String)
    tie = (
        "line",
        pl.when(pl.col("user_id") != _UNKNOWN).then(pl.col("user_id")).alias("user_id"),
        pl.when(pl.col("user_id") == _UNKNOWN).then(row).alias("session_id"),
        row.alias("request_id"),
        "item_id",
        pl.col("line").alias("sequence"),
        pl.lit(Surface.RECOMMENDATION.value).alias("surface"),
    )
    item = (pl.col(name).alias(f"item_{name}") for name in _ITEM)
    return events_of(
        {
            EventKind.IMPRESSION: shown.select(*tie, *item, *_CONTEXT, *_WEIGHTS),
            EventKind.CLICK: shown.filter(pl.col("clicked") == 1).select(*tie),
            EventKind.PURCHASE: shown.filter(pl.col("bought") == 1).select(*tie),
        },
        order=[],
    )


def _catalogue(shown: pl.DataFrame) -> pl.DataFrame:
    one = shown.filter(pl.col("item_id") != _UNKNOWN)
    items = shown.select("item_id").unique()
    for name in _ITEM:
        values = _most_frequent(one, name)
        items = items.join(values, on="item_id", how="left")
    known = [
        pl.when(pl.col(name) != _UNKNOWN).then(pl.format(f"{name} {{}}", name)).alias(name)
        for name in _ITEM
    ]
    return (
        items.with_columns(known)
        .sort(pl.col("item_id").str.to_integer(strict=False), "item_id")
        .select(
            "item_id",
            "category",
            "brand",
            "shop",
            "intention",
        )
    )


def _most_frequent(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Without times there is no first period: the whole file decides."""
    always = pl.lit(0).cast(pl.Datetime("us", "UTC"))
    return typical(rows.with_columns(timestamp=always), name, ())


def _users(shown: pl.DataFrame) -> pl.DataFrame:
    """What is said of a user, from his first row."""
    return (
        shown.filter(pl.col("user_id") != _UNKNOWN)
        .sort("line")
        .unique("user_id", keep="first", maintain_order=True)
        .select("user_id", *_USER)
    )


def _found(shown: pl.DataFrame) -> Mapping[str, int]:
    known = shown.filter(pl.col("user_id") != _UNKNOWN)
    varying = known.group_by("user_id").agg(pl.struct(*_USER).n_unique().alias("versions"))
    return {
        "clicks": shown.filter(pl.col("clicked") == 1).height,
        "purchases": shown.filter(pl.col("bought") == 1).height,
        "users": varying.height,
        "users described in several ways": varying.filter(pl.col("versions") > 1).height,
        "items told apart": shown.filter(pl.col("item_id") != _UNKNOWN)["item_id"].n_unique(),
        "rows of no known item": shown.filter(pl.col("item_id") == _UNKNOWN).height,
        "rows of no known user": shown.height - known.height,
    }
