"""Amazon's shopping queries (ESCI): products graded exact, substitute, complement or irrelevant.

Read is the table of judgements joined with their products, one row a pair. An item's id is market
and product, for a product has texts of its own in each market. Description and bullet points have
no column in a catalogue and are not carried over.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop, counts

CARD = DatasetCard(
    name="esci",
    title="Shopping Queries Dataset (ESCI)",
    publisher="Amazon Science",
    url="https://github.com/amazon-science/esci-data",
    terms="Apache-2.0, according to the repository",
    citation=(
        "Reddy, C. K. et al. (2022): Shopping Queries Dataset: A Large-Scale ESCI Benchmark for "
        "Improving Product Search. arXiv:2206.06588"
    ),
    shows=(
        "graded relevance of products to queries in English, Spanish and Japanese, where the whole "
        "set is at hand; a sample of a row a query shows the form alone. No behaviour"
    ),
    files=("esci.parquet", "esci.csv", "esci_200.csv"),
)

COLUMNS = (
    PublishedColumn("query", "query", "text"),
    PublishedColumn("product_id", "product_id", "id"),
    PublishedColumn("locale", "product_locale", "text"),
    PublishedColumn("label", "esci_label", "text"),
    PublishedColumn("title", "product_title", "text"),
    PublishedColumn("brand", "product_brand", "text"),
    PublishedColumn("colour", "product_color", "text"),
    PublishedColumn("split", "split", "text", optional=True),
)

SHOP_TOML = f"""\
# Shopping queries, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "Shopping queries (ESCI)"

[split]
kind = "cold_queries"  # a query is judged once, so no query of the test is learned from

[match]
target = "next"
"""

_GRADES: Mapping[str, float] = {"E": 3, "S": 2, "C": 1, "I": 0}  # the word or its first letter
_LANGUAGES: Mapping[str, str] = {"us": "en", "es": "es", "jp": "ja"}

_REASONS = (
    ("query, product, market or label missing", missing("query", "product_id", "locale", "label")),
    ("label other than E, S, C or I", pl.col("grade").is_null()),
)


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The joined table and what its rows become."""
    table = folder.table(COLUMNS)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Each row as a judgement; each product of a market once in the catalogue."""
    letter = pl.col("label").str.slice(0, 1).str.to_uppercase()
    graded = table.with_columns(
        item_id=pl.concat_str("locale", "product_id", separator="/"),
        grade=letter.replace_strict(_GRADES, default=None, return_dtype=pl.Float64),
    )
    kept, left_out = sort_out(graded, _REASONS, table.columns)
    parts = [] if kept["split"].is_null().all() else [pl.col("split").alias("published_part")]
    judgements = kept.select("query", "item_id", "grade", *parts)
    catalogue = _catalogue(kept)
    return ConvertedShop(
        tables={"catalogue": catalogue, "judgements": judgements},
        kept={"judgement": judgements.height},
        left_out=left_out,
        shop_toml=SHOP_TOML,
        changed={},
        found={
            "queries": judgements["query"].n_unique(),
            "items": catalogue.height,
            **{f"judged {label}": rows for label, rows in counts(kept["label"]).items()},
        },
    )


def _catalogue(kept: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("locale").replace_strict(_LANGUAGES, default=None, return_dtype=pl.String)
    colour = pl.struct("colour").struct.json_encode()
    return (
        kept.sort("item_id", "line")
        .unique("item_id", keep="first", maintain_order=True)
        .select(
            "item_id",
            "title",
            "brand",
            pl.when(pl.col("colour").is_not_null()).then(colour).alias("attributes"),
            known.alias("language"),
            pl.col("locale").alias("domain"),
        )
    )
