"""UCI Online Retail: invoices of a British gift wholesaler, December 2010 to December 2011.

Times carry no zone and are taken as UTC, so that no line changes its day. A line is left out
for the first reason of ``_REASONS`` that fits it, from "not an article at all" to "an article,
but nobody known bought it".
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from shelfwise.data.readers.cancellations import tie_to_purchases
from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.data.readers.typical import typical

CARD = DatasetCard(
    name="online-retail",
    title="Online Retail",
    publisher="UCI Machine Learning Repository (Daqing Chen)",
    url="https://archive.ics.uci.edu/dataset/352/online+retail",
    terms="CC BY 4.0 according to UCI's page; confirm there before you redistribute",
    citation=(
        "Chen, D., Sain, S. L., Guo, K. (2012): Data mining for the online retail industry. "
        "Journal of Database Marketing & Customer Strategy Management 19(3), 197-208. "
        "Data: https://doi.org/10.24432/C5BW33"
    ),
    shows=(
        "purchases in time: repeat and next purchases, items never sold before, returns. "
        "No impressions and no clicks, so nothing about click-through"
    ),
    files=("Online Retail.csv", "Online Retail.parquet", "data.csv", "Online Retail.zip"),
)

COLUMNS = (
    PublishedColumn("invoice", "InvoiceNo", "id"),
    PublishedColumn("code", "StockCode", "id"),
    PublishedColumn("description", "Description", "text"),
    PublishedColumn("quantity", "Quantity", "integer"),
    PublishedColumn("timestamp", "InvoiceDate", "time"),
    PublishedColumn("price", "UnitPrice", "number"),
    PublishedColumn("user_id", "CustomerID", "id"),
    PublishedColumn("country", "Country", "text"),
)

VALIDATION_START = datetime(2011, 10, 1, tzinfo=UTC)
TEST_START = datetime(2011, 11, 1, tzinfo=UTC)

SHOP_TOML = f"""\
# UCI Online Retail, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "Online Retail (UCI)"
currency = "GBP"

[split]
validation_start = {VALIDATION_START:%Y-%m-%dT%H:%M:%SZ}
test_start = {TEST_START:%Y-%m-%dT%H:%M:%SZ}

[match]
events = ["purchase"]
target = "period"  # everything a customer buys in the test, not only the next thing
seen = "remove"  # items the customer had bought before are not asked for

[train]
refit = true  # the chosen setting is trained again on training and validation
minutes = 5  # at most, for each of the two
learning_rate = 1e-3  # few shoppers: what is known beforehand is to be left slowly
ema = 0.97
period_requests = true  # a ranking has to last for weeks: it learns from such requests too
"""

# Five digits and any letters: 85123A, 84997C, 15056BL. All else is postage, fees, discounts,
# samples, manual entries and vouchers (POST, DOT, M, D, C2, BANK CHARGES, gift_0001_20, ...).
_ITEM = r"^\d{5}[A-Z]*$"

_CANCELLED = pl.col("invoice").str.to_uppercase().str.starts_with("C")

# In order: the first that is true of a line is the reason why it is left out.
_REASONS = (
    (
        "invoice, date, quantity or price missing",
        pl.any_horizontal(pl.col("invoice", "timestamp", "quantity", "price").is_null()),
    ),
    ("no item: postage, fee, voucher or manual entry", ~pl.col("item_id").str.contains(_ITEM)),
    ("stock adjustment: nothing sold, no cancellation", ~_CANCELLED & (pl.col("quantity") <= 0)),
    ("cancellation without a negative quantity", _CANCELLED & (pl.col("quantity") >= 0)),
    ("price not above zero", pl.col("price") <= 0),
    ("customer missing", pl.col("user_id").is_null()),
)
_NEVER_SOLD = "cancellation of an item that no kept line sells"

# Products are named in capitals; "check", "?", "damaged" and "wrongly marked 20713" are notes.
_PRODUCT_NAME = pl.col("title").str.contains("[A-Z]{3}") & ~pl.col("title").str.contains(r"\?")


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's table and what its lines become."""
    table = folder.table(COLUMNS)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Kept lines as purchases, cancellations of them as returns, the rest with its reason."""
    lines = _with_reasons(table)
    kept = lines.filter(pl.col("reason").is_null())
    purchases = kept.filter(~_CANCELLED)
    cancelled = kept.filter(_CANCELLED).with_columns(quantity=-pl.col("quantity"))
    returns = tie_to_purchases(purchases, cancelled)
    catalogue = _catalogue(purchases)
    return ConvertedShop(
        tables={"catalogue": catalogue, "events": _events(purchases, returns)},
        kept={"purchase": purchases.height, "return": returns.height},
        left_out=lines.filter(pl.col("reason").is_not_null()).select(*table.columns, "reason"),
        shop_toml=SHOP_TOML,
        changed=_changed(kept, purchases, catalogue),
        found=_found(table, purchases, returns),
    )


def _with_reasons(table: pl.DataFrame) -> pl.DataFrame:
    first_true = pl.coalesce(pl.when(rule).then(pl.lit(reason)) for reason, rule in _REASONS)
    lines = table.with_columns(
        item_id=pl.col("code").fill_null("").str.to_uppercase(),
        title=pl.col("description").str.replace_all(r"\s+", " ").str.strip_chars(),
    ).with_columns(reason=first_true)
    sold = lines.filter(pl.col("reason").is_null() & ~_CANCELLED)["item_id"].unique()
    never_sold = pl.col("reason").is_null() & ~pl.col("item_id").is_in(sold.implode())
    return lines.with_columns(
        reason=pl.when(never_sold).then(pl.lit(_NEVER_SOLD)).otherwise(pl.col("reason"))
    )


def _events(purchases: pl.DataFrame, returns: pl.DataFrame) -> pl.DataFrame:
    """``sequence`` is the line in the file; ``returns_invoice`` the session a return undoes."""
    both = pl.concat(
        [
            purchases.with_columns(
                event=pl.lit("purchase"), returns_invoice=pl.lit(None, dtype=pl.String)
            ),
            returns.drop("tie").with_columns(event=pl.lit("return")),
        ],
        how="diagonal",
    )
    return both.sort("timestamp", "line").select(
        "event",
        "user_id",
        pl.col("invoice").alias("session_id"),
        "item_id",
        "timestamp",
        pl.col("line").alias("sequence"),
        "price",
        pl.col("quantity").cast(pl.Float64),
        "returns_invoice",
        "country",
    )


def _catalogue(purchases: pl.DataFrame) -> pl.DataFrame:
    """Titles by ``typical``; the price is that of the item's first kept line.

    A median over the year would carry the test's clearance prices into training. Titles stay
    in the publisher's capitals.
    """
    starts = (VALIDATION_START, TEST_START)
    names = typical(purchases.filter(_PRODUCT_NAME), "title", starts)
    notes = typical(purchases, "title", starts).rename({"title": "note"})
    return (
        purchases.sort("timestamp", "line")
        .group_by("item_id")
        .agg(pl.col("price").first())
        .join(names, on="item_id", how="left")
        .join(notes, on="item_id", how="left")
        .select("item_id", pl.coalesce("title", "note").alias("title"), "price")
        .sort("item_id")
    )


def _changed(
    kept: pl.DataFrame, purchases: pl.DataFrame, catalogue: pl.DataFrame
) -> dict[str, int]:
    titled = purchases.join(
        catalogue.select("item_id", pl.col("title").alias("chosen")), on="item_id"
    )
    return {
        "item code put in capitals": kept.filter(pl.col("code") != pl.col("item_id")).height,
        "white space of the description normalised": purchases.filter(
            pl.col("description") != pl.col("title")
        ).height,
        "description replaced by the item's title": titled.filter(
            pl.col("title").ne_missing(pl.col("chosen"))
        ).height,
    }


def _found(table: pl.DataFrame, purchases: pl.DataFrame, returns: pl.DataFrame) -> dict[str, int]:
    named = purchases.group_by("item_id").agg(pl.col("title").n_unique())
    codes = table["code"].drop_nulls().unique()
    published = table.columns[1:]  # all but our own line number
    ties = {
        f"returns tied to a purchase: {tie}": returns.filter(pl.col("tie") == tie).height
        for tie in ("whole", "part", "none")
    }
    return {
        "customers": purchases["user_id"].n_unique(),
        "invoices": purchases["invoice"].n_unique(),
        "items": named.height,
        "items with several descriptions": named.filter(pl.col("title") > 1).height,
        "item codes that differ in capitals only": len(codes) - codes.str.to_uppercase().n_unique(),
        "purchase lines that repeat another exactly": purchases.height
        - purchases.select(published).unique().height,
        **ties,
    }
