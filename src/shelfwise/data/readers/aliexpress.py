"""AliExpress searches, in the joined form of MTReclib.

A row is a product on a page of search results: 16 numbered and 63 numeric features without names
(the first 9 and 23 of them of the user and the query, the rest of the product), click and
conversion. ``search_id`` is the page: it is the request and, since the set names no
user, the session. It names no product either, so every row is an item of its own (``row-17``),
known by its features only.

The set has no times. A row's place in the file is its ``sequence``: that keeps rows apart and in
one order, and no claim about time can rest on it (search ids are not in order either).
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
from shelfwise.schema.event import EventKind, Surface

CARD = DatasetCard(
    name="aliexpress",
    title="AliExpress Searching System Dataset",
    publisher="Alibaba, through Tianchi; joined by MTReclib",
    url="https://tianchi.aliyun.com/dataset/74690",
    terms="for research, according to Tianchi's page; confirm there before you use it",
    citation=(
        "Li, P., Li, R., Da, Q., Zeng, A.-X., Zhang, L. (2020): Improving Multi-Scenario Learning "
        "to Rank in E-commerce by Exploiting Task Relationships in the Label Space. CIKM"
    ),
    shows=(
        "clicks and conversions on pages of results, over features without names. No times, no "
        "products, no users, no text, no positions. Tried here on 100 rows only"
    ),
    files=("train.csv", "aliexpress_sample.csv", "aliexpress_train_sample.csv"),
)

_OF_SEARCH = (
    *(PublishedColumn(f"categorical_{n}", f"categorical_{n}", "id") for n in range(1, 10)),
    *(PublishedColumn(f"numerical_{n}", f"numerical_{n}", "number") for n in range(1, 24)),
)
_OF_PRODUCT = (
    *(PublishedColumn(f"categorical_{n}", f"categorical_{n}", "id") for n in range(10, 17)),
    *(PublishedColumn(f"numerical_{n}", f"numerical_{n}", "number") for n in range(24, 64)),
)
COLUMNS = (
    PublishedColumn("request_id", "search_id", "id"),
    PublishedColumn("clicked", "click", "integer"),
    PublishedColumn("bought", "conversion", "integer"),
    *_OF_SEARCH,
    *_OF_PRODUCT,
)

_REASONS = (
    ("search missing", missing("request_id")),
    ("click or conversion not said", missing("clicked", "bought")),
    ("converted without a click", (pl.col("bought") == 1) & (pl.col("clicked") != 1)),
)

_SHOP_TOML = """\
# AliExpress searches, converted by `shelfwise datasets convert aliexpress`.
[shop]
name = "AliExpress searches"

[split]
kind = "cold_items"  # without times no moment parts the log; and every row is an item

[match]
events = ["click", "purchase"]
target = "next"
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The joined table and what its rows become."""
    table = folder.table(COLUMNS)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Every row as an impression on the surface search, with its click and its purchase."""
    shown, left_out = sort_out(table, _REASONS, table.columns)
    return ConvertedShop(
        tables={"catalogue": _catalogue(shown), "events": _events(shown)},
        kept={"impression": shown.height},
        left_out=left_out,
        shop_toml=_SHOP_TOML
        + features_toml("events", types_of(_OF_SEARCH))
        + features_toml("items", types_of(_OF_PRODUCT)),
        changed={},
        found=_found(shown),
    )


def _item_id() -> pl.Expr:
    return pl.format("row-{}", "line")


def _catalogue(shown: pl.DataFrame) -> pl.DataFrame:
    return shown.select(_item_id().alias("item_id"), *(column.name for column in _OF_PRODUCT))


def _events(shown: pl.DataFrame) -> pl.DataFrame:
    tie = (
        "line",
        pl.col("request_id").alias("session_id"),
        "request_id",
        _item_id().alias("item_id"),
        pl.col("line").alias("sequence"),
        pl.lit(Surface.SEARCH.value).alias("surface"),
    )
    features = [column.name for column in _OF_SEARCH]
    return events_of(
        {
            EventKind.IMPRESSION: shown.select(*tie, *features),
            EventKind.CLICK: shown.filter(pl.col("clicked") == 1).select(*tie),
            EventKind.PURCHASE: shown.filter(pl.col("bought") == 1).select(*tie),
        },
        order=[],
    )


def _found(shown: pl.DataFrame) -> Mapping[str, int]:
    return {
        "clicks": shown.filter(pl.col("clicked") == 1).height,
        "conversions": shown.filter(pl.col("bought") == 1).height,
        "searches": shown["request_id"].n_unique(),
    }
