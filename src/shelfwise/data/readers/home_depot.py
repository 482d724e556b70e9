"""Home Depot product search relevance: how well products answer queries, by three judges each.

Relevance is the judges' mean, from 1 (irrelevant) to 3 (perfect); the grade is relevance - 1. The
file holds UTF-8 that was taken for Windows-1252 and saved as Mac Roman; all of it can be told back.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import Layout, PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop

CARD = DatasetCard(
    name="home-depot",
    title="Home Depot Product Search Relevance",
    publisher="The Home Depot, on Kaggle (2016)",
    url="https://www.kaggle.com/competitions/home-depot-product-search-relevance",
    terms="the competition's rules on Kaggle; not to be redistributed",
    citation="The Home Depot (2016): Product Search Relevance. Kaggle competition, train.csv",
    shows=(
        "graded relevance of products to queries. A random order of a query's products already "
        "reaches nDCG@10 of about .87: print that floor beside every figure. No behaviour"
    ),
    files=("train.csv", "home-depot-product-search-relevance.zip"),
)

COLUMNS = (
    PublishedColumn("item_id", "product_uid", "id"),
    PublishedColumn("title", "product_title", "text"),
    PublishedColumn("query", "search_term", "text"),
    PublishedColumn("relevance", "relevance", "number"),
)
_LAYOUT = Layout(other_encoding="mac_roman")

SHOP_TOML = f"""\
# Home Depot search relevance, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "Home Depot (Kaggle 2016)"
currency = "USD"

[split]
kind = "cold_queries"  # a query is judged once, so no query of the test is learned from

[match]
target = "next"

[text]
fields = ["title"]
"""

# What the bytes read as -> what was meant. Where Mac Roman has no letter for one of the two, an
# underscore stands: "90Ë_ Elbow" was the ring above, used for degrees, "5 mmÂ_" a raised 2.
_MENDED: Mapping[str, str] = {
    "Â°": "°",
    "Ë_": "°",
    "mmÂ_": "mm²",
    "â€™": "’",  # noqa: RUF001  # the letter that was meant
    "â€˜": "‘",  # noqa: RUF001  # likewise
    "â€“": "–",  # noqa: RUF001  # likewise
    "â€ê": "-",
    "â„¢": "™",
    "Â\N{NO-BREAK SPACE}": " ",
    "â€‹": "",  # noqa: RUF001  # a space of no width
    "ï»¿": "",  # a byte order mark
}
_LOWEST, _HIGHEST = 1.0, 3.0

_REASONS = (
    ("product, query or relevance missing", missing("item_id", "query", "relevance")),
    ("relevance outside 1 to 3", ~pl.col("relevance").is_between(_LOWEST, _HIGHEST)),
)


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's judged pairs and what they become."""
    table = folder.table(COLUMNS, layout=_LAYOUT)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Each row as a judgement; each product once in the catalogue."""
    mended = table.with_columns(
        pl.col(name).str.replace_many(list(_MENDED), list(_MENDED.values())).str.strip_chars()
        for name in ("title", "query")
    )
    kept, left_out = sort_out(mended, _REASONS, table.columns)
    catalogue = _catalogue(kept)
    names = kept.group_by("item_id").agg(pl.col("title").drop_nulls().n_unique())
    judgements = kept.sort("query", "item_id", "line").select(
        "query", "item_id", (pl.col("relevance") - _LOWEST).round(2).alias("grade")
    )
    return ConvertedShop(
        tables={"catalogue": catalogue, "judgements": judgements},
        kept={"judgement": judgements.height},
        left_out=left_out,
        shop_toml=SHOP_TOML,
        changed={"damaged letters mended": _changed(table, mended)},
        found={
            "queries": judgements["query"].n_unique(),
            "items": catalogue.height,
            "items with several titles": names.filter(pl.col("title") > 1).height,
            "pairs judged twice": judgements.height
            - judgements.select("query", "item_id").n_unique(),
        },
    )


def _changed(table: pl.DataFrame, mended: pl.DataFrame) -> int:
    columns = ("title", "query")
    differs = [table[name].ne_missing(mended[name]) for name in columns]
    return pl.DataFrame(differs).select(pl.any_horizontal(pl.all()).sum()).item()  # type: ignore[no-any-return]


def _catalogue(kept: pl.DataFrame) -> pl.DataFrame:
    """Of several titles the most frequent, of equally frequent ones the first by alphabet."""
    return (
        kept.group_by("item_id", "title")
        .len()
        .sort(["item_id", "len", "title"], descending=[False, True, False], nulls_last=True)
        .unique("item_id", keep="first", maintain_order=True)
        .select("item_id", "title", pl.lit("en").alias("language"))
    )
