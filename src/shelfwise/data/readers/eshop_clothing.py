"""UCI clickstream of an on-line shop: clothes for expectant mothers, April to August 2008.

The log knows days, not times: ``order`` within a session says what came first. Names of the
codes are those of the publisher's description of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.data.readers.typical import typical

CARD = DatasetCard(
    name="eshop-clothing",
    title="Clickstream data for online shopping",
    publisher="UCI Machine Learning Repository (Mariusz Łapczyński, Sylwester Białowąs)",
    url="https://archive.ics.uci.edu/dataset/553/clickstream+data+for+online+shopping",
    terms="CC BY 4.0 according to UCI's page; confirm there before you redistribute",
    citation=(
        "Łapczyński, M., Białowąs, S. (2013): Discovering patterns of users' behaviour in an "
        "e-shop: comparison of consumer buying behaviours in Poland and other European "
        "countries. Studia Ekonomiczne 151, 144-153. Data: https://doi.org/10.24432/C5QK7X"
    ),
    shows=(
        "the next click of anonymous sessions. Clicks only, no purchases; every item has its "
        "fixed place on a page, so nothing about the effect of position"
    ),
    files=(
        "e-shop clothing 2008.csv",
        "clicks.csv",
        "clickstream+data+for+online+shopping.zip",
        "e-shop data and description.zip",
    ),
)

COLUMNS = (
    PublishedColumn("year", "year", "integer"),
    PublishedColumn("month", "month", "integer"),
    PublishedColumn("day", "day", "integer"),
    PublishedColumn("order", "order", "integer"),
    PublishedColumn("country", "country", "id"),
    PublishedColumn("session_id", "session ID", "id"),
    PublishedColumn("category", "page 1 (main category)", "id"),
    PublishedColumn("item_id", "page 2 (clothing model)", "id"),
    PublishedColumn("colour", "colour", "id"),
    PublishedColumn("location", "location", "id"),
    PublishedColumn("photography", "model photography", "id"),
    PublishedColumn("price", "price", "number"),
    PublishedColumn("price_tier", "price 2", "id"),
    PublishedColumn("page", "page", "id"),
)

VALIDATION_START = datetime(2008, 7, 1, tzinfo=UTC)
TEST_START = datetime(2008, 7, 15, tzinfo=UTC)

SHOP_TOML = f"""\
# UCI e-shop clothing, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "E-shop clothing (UCI)"
currency = "USD"

[split]
validation_start = {VALIDATION_START:%Y-%m-%dT%H:%M:%SZ}
test_start = {TEST_START:%Y-%m-%dT%H:%M:%SZ}

[match]
events = ["click"]
target = "next"  # the next click of the session

[text]
fields = ["title", "attributes"]  # many models share a title

[model]
targets = "own"  # clicks have an order: what follows an item is not what it follows

[model.encoder.tuning]
mode = "frozen"  # every item was met thousands of times; words add little to that

[train]
epochs = 6
batch_requests = 256
minutes = 8
"""


def _numbered(*words: str) -> Mapping[str, str]:
    return {str(code): word for code, word in enumerate(words, start=1)}


_CODES: Mapping[str, Mapping[str, str]] = {
    "category": _numbered("trousers", "skirts", "blouses", "sale"),
    "colour": _numbered(
        *("beige", "black", "blue", "brown", "burgundy", "grey", "green"),
        *("navy blue", "multicolour", "olive", "pink", "red", "violet", "white"),
    ),
    "location": _numbered(
        *("top left", "top middle", "top right"),
        *("bottom left", "bottom middle", "bottom right"),
    ),
    "photography": _numbered("en face", "in profile"),
    "price_tier": _numbered("above average", "below average"),
}
_COUNTRIES = _numbered(
    *("Australia", "Austria", "Belgium", "British Virgin Islands", "Cayman Islands"),
    *("Christmas Island", "Croatia", "Cyprus", "Czech Republic", "Denmark", "Estonia"),
    *("unidentified", "Faroe Islands", "Finland", "France", "Germany", "Greece", "Hungary"),
    *("Iceland", "India", "Ireland", "Italy", "Latvia", "Lithuania", "Luxembourg", "Mexico"),
    *("Netherlands", "Norway", "Poland", "Portugal", "Romania", "Russia", "San Marino"),
    *("Slovakia", "Slovenia", "Spain", "Sweden", "Switzerland", "Ukraine"),
    *("United Arab Emirates", "United Kingdom", "USA", ".biz", ".com", ".int", ".net", ".org"),
)
_ATTRIBUTES = (*_CODES, "price", "page")

# In order: the first that is true of a row is the reason why it is left out.
_REASONS = (
    (
        "session, model, order or date missing",
        pl.any_horizontal(
            pl.col("session_id", "item_id", "order", "year", "month", "day").is_null()
        ),
    ),
    ("no such day", pl.col("timestamp").is_null()),
)


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's table and what its rows become."""
    table = folder.table(COLUMNS)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Every row as a click; every clothing model as an item named after its attributes."""
    day = pl.format("{}-{}-{}", "year", "month", "day").str.to_date("%Y-%m-%d", strict=False)
    first_true = pl.coalesce(pl.when(rule).then(pl.lit(reason)) for reason, rule in _REASONS)
    rows = table.with_columns(
        timestamp=day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    ).with_columns(reason=first_true)
    clicks = rows.filter(pl.col("reason").is_null()).drop("reason")
    catalogue = _catalogue(clicks)
    return ConvertedShop(
        tables={"catalogue": catalogue, "events": _events(clicks)},
        kept={"click": clicks.height},
        left_out=rows.filter(pl.col("reason").is_not_null()).select(*table.columns, "reason"),
        shop_toml=SHOP_TOML,
        changed={},
        found=_found(clicks, catalogue),
    )


def _events(clicks: pl.DataFrame) -> pl.DataFrame:
    return clicks.sort("timestamp", "session_id", "order", "line").select(
        pl.lit("click").alias("event"),
        "session_id",
        "item_id",
        "timestamp",
        pl.col("order").alias("sequence"),
        "price",
        _word("country", _COUNTRIES),
    )


def _word(name: str, words: Mapping[str, str]) -> pl.Expr:
    """The code's word; a code the publisher does not list stays readable as "colour 15"."""
    unknown = pl.format(f"{name} {{}}", name)
    return pl.col(name).replace_strict(words, default=unknown, return_dtype=pl.String)


def _catalogue(clicks: pl.DataFrame) -> pl.DataFrame:
    """Where a model's rows disagree, ``typical`` decides, from the training period if it can."""
    items = clicks.select("item_id").unique().sort("item_id")
    for name in _ATTRIBUTES:
        values = typical(clicks, name, (VALIDATION_START, TEST_START))
        items = items.join(values, on="item_id", how="left", maintain_order="left")
    items = items.with_columns(_word(name, words) for name, words in _CODES.items())
    # The photo's place is a property of the item, not of a ranking: it never varies.
    attributes = pl.struct("colour", "photography", "price_tier", "location", "page")
    return items.select(
        "item_id",
        _title().alias("title"),
        "category",
        "price",
        attributes.struct.json_encode().alias("attributes"),
        pl.lit("en").alias("language"),
    )


def _title() -> pl.Expr:
    """Words that a language model can use: "blue trousers, photographed en face, 28 USD, ..."."""
    noun = pl.col("category").replace({"sale": "clothes on sale"})
    parts = (
        pl.concat_str([pl.col("colour"), noun], separator=" ", ignore_nulls=True),
        pl.format("photographed {}", "photography"),
        pl.format("{} USD", pl.col("price").cast(pl.String).str.strip_suffix(".0")),
        pl.format("{} price", "price_tier"),
    )
    return pl.concat_str(parts, separator=", ", ignore_nulls=True)


def _found(clicks: pl.DataFrame, catalogue: pl.DataFrame) -> dict[str, int]:
    values = clicks.group_by("item_id").agg(pl.col(_ATTRIBUTES).drop_nulls().n_unique())
    varying = {
        f"items whose {name} varies": values.filter(pl.col(name) > 1).height for name in _ATTRIBUTES
    }
    return {
        "sessions": clicks["session_id"].n_unique(),
        "items": catalogue.height,
        "different titles": catalogue["title"].n_unique(),
        **varying,
    }
