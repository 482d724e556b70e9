"""Best Buy: searches of an electronics shop and the product clicked after each.

August to October 2011. Times carry no zone and are taken as UTC. A row is a click; rows of one
user, query and time of query are one search, which gets a number of ours as request_id. The
searches become events too, so there are more events than rows. Searches without a click are not in
the log, nor is what else was shown. Some copies quote each line as a whole; these are read as well.
"""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn, as_text, delimited, typed_table
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop

CARD = DatasetCard(
    name="best-buy",
    title="Best Buy searches and clicks (ACM SF Bay Area Hackathon, big)",
    publisher="Best Buy, on Kaggle (2012)",
    url="https://www.kaggle.com/competitions/acm-sf-chapter-hackathon-big",
    terms="the competition's rules on Kaggle; not to be redistributed",
    citation="ACM SF Bay Area Chapter, Best Buy (2012): Data mining hackathon. Kaggle, train.csv",
    shows=(
        "the product clicked after a typed query, and search histories. Every search has a click "
        "and nothing else that was shown is known, so nothing about click-through. No titles here"
    ),
    files=("train.csv", "bestbuy_clicks_999.csv"),
)

COLUMNS = (
    PublishedColumn("user_id", "user", "id"),
    PublishedColumn("item_id", "sku", "id"),
    PublishedColumn("category", "category", "text"),
    PublishedColumn("query", "query", "text"),
    PublishedColumn("clicked_at", "click_time", "time"),
    PublishedColumn("searched_at", "query_time", "time"),
)

SHOP_TOML = f"""\
# Best Buy, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "Best Buy (2011)"
currency = "USD"

[match]
events = ["click"]

[text]
fields = ["title", "category"]  # codes of categories are all the sample tells of an item
"""

_REASONS = (
    (
        "user, product, query or time missing",
        missing("user_id", "item_id", "query", "clicked_at", "searched_at"),
    ),
    ("click before its query", pl.col("clicked_at") < pl.col("searched_at")),
)


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's clicks and what they become."""
    file = folder.content()
    table = clicks_of(file.path, as_text(file.content))
    return table.height, to_shop(table)


def clicks_of(path: Path, text: str) -> pl.DataFrame:
    """The typed rows, of a plain table or of one whose lines are quoted as a whole."""
    if text.startswith('"user,'):
        text = "\n".join(cells[0] for cells in csv.reader(text.splitlines()) if cells)
    return typed_table(path, delimited(path, text.encode()), COLUMNS)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Each row as a click; before the first click of a search, the search."""
    kept, left_out = sort_out(table, _REASONS, table.columns)
    search = ["searched_at", "user_id", "query"]
    searches = (
        kept.select(search)
        .unique()
        .sort(search)
        .with_row_index("number", offset=1)
        .with_columns(pl.format("search-{}", "number").alias("request_id"))
    )
    clicks = kept.join(searches, on=search, how="left", maintain_order="left")
    catalogue = _catalogue(kept)
    return ConvertedShop(
        tables={"catalogue": catalogue, "events": _events(searches, clicks)},
        kept={"click": clicks.height},
        left_out=left_out,
        shop_toml=SHOP_TOML,
        changed={},
        found={
            "searches, events of their own": searches.height,
            "users": kept["user_id"].n_unique(),
            "queries": kept["query"].n_unique(),
            "items": catalogue.height,
        },
    )


def _events(searches: pl.DataFrame, clicks: pl.DataFrame) -> pl.DataFrame:
    both = pl.concat(
        [
            searches.with_columns(
                event=pl.lit("search"), timestamp="searched_at", item_id=pl.lit(None, pl.String)
            ),
            clicks.with_columns(event=pl.lit("click"), timestamp="clicked_at"),
        ],
        how="diagonal",
    )
    ordered = both.sort("timestamp", "number", pl.col("event") == "click", "line")
    return ordered.select(
        "event",
        "user_id",
        "item_id",
        "timestamp",
        "request_id",
        "query",
        pl.lit("search").alias("surface"),
    )


def _catalogue(kept: pl.DataFrame) -> pl.DataFrame:
    """The code of the category that the item's first row gives."""
    return (
        kept.sort("item_id", "clicked_at", "line")
        .unique("item_id", keep="first", maintain_order=True)
        .select("item_id", "category")
    )
