"""Amazon Beauty, reviews of 2014 as sequences: each user's items in order of time, no times.

One line a user, the items separated by spaces. A review stands for a purchase. The items' titles
lie in a second file (their ids at Amazon too, which are not carried over); the publisher's own
download has numbers alone, and is read without it.
"""

from __future__ import annotations

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import Layout, PublishedColumn, as_text
from shelfwise.data.readers.reasons import sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.data.readers.user_lines import user_lines

CARD = DatasetCard(
    name="amazon-beauty",
    title="Amazon Beauty, 5-core sequences (2014)",
    publisher="Julian McAuley's group; sequences by the authors of S3-Rec",
    url="https://github.com/RUCAIBox/CIKM2020-S3Rec",
    terms="no licence stated; for research, and not to be redistributed",
    citation=(
        "McAuley, J., Targett, C., Shi, Q., van den Hengel, A. (2015): Image-based recommendations "
        "on styles and substitutes. SIGIR, 43-52. Sequences: Zhou, K. et al. (2020): S3-Rec. CIKM, "
        "1893-1902"
    ),
    shows=(
        "the next item of a sequence, comparable with papers (leave-last-out, all items ranked). "
        "Order without times, reviews taken for purchases; no impressions, no clicks, no prices"
    ),
    files=("Beauty.txt", "sequences.txt"),
)
_ITEMS = ("items.tsv",)
_ITEM_COLUMNS = (
    PublishedColumn("item_id", "item_id", "id"),
    PublishedColumn("title", "title", "text"),
    PublishedColumn("attribute_ids", "s3rec_attribute_ids", "text"),
)
_ITEM_LAYOUT = Layout(separator="\t", quote=None)

SHOP_TOML = f"""\
# Amazon Beauty, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "Amazon Beauty (2014)"
currency = "USD"

[split]
kind = "leave_last_out"  # the log has no times; as papers on it do

[match]
events = ["purchase"]
target = "next"
seen = "remove"  # no user takes an item twice

[model]
id_dropout = 0.4  # five purchases an item: ids are soon known by heart (docs/experiments.md)

[model.encoder.tuning]
mode = "frozen"  # ids and sequences teach most: a step without the encoder takes a third as long

[train]
batch_requests = 256
learning_rate = 1e-3
epochs = 4
checks_per_epoch = 2

[train.match_loss]
kind = "softmax"
label_smoothing = 0.1
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The sequences, an item in one a row; and the items' own rows where they are there."""
    taken = user_lines(as_text(folder.content().content))
    items = None
    if folder.holds(_ITEMS):
        items = folder.table(_ITEM_COLUMNS, _ITEMS, _ITEM_LAYOUT)
    return taken.height + (0 if items is None else items.height), to_shop(taken, items)


def to_shop(taken: pl.DataFrame, items: pl.DataFrame | None) -> ConvertedShop:
    """Every item of a sequence as a purchase; without the items' file they are ids alone."""
    if items is None:
        catalogue = taken.select("item_id").unique().sort("item_id")
    else:
        catalogue = _catalogue(items)
    known = pl.col("item_id").is_in(catalogue["item_id"].implode())
    reasons = (("item that the file of items lacks", ~known),)
    kept, left_out = sort_out(taken, reasons, taken.columns)
    purchases = kept.sort("line", "sequence").select(
        pl.lit("purchase").alias("event"), "user_id", "item_id", "sequence"
    )
    rows_of_items = {} if items is None else {"item": items.height}
    return ConvertedShop(
        tables={"catalogue": catalogue, "events": purchases},
        kept={"purchase": purchases.height, **rows_of_items},
        left_out=left_out,
        shop_toml=SHOP_TOML,
        changed={},
        found={
            "users": purchases["user_id"].n_unique(),
            "items": purchases["item_id"].n_unique(),
            "items without a title": catalogue.height
            if items is None
            else catalogue["title"].null_count(),
            "times a user takes an item again": purchases.height
            - purchases.select("user_id", "item_id").n_unique(),
        },
    )


def _catalogue(items: pl.DataFrame) -> pl.DataFrame:
    """The attributes are numbers whose names were not published: good for ids, not for reading."""
    attributes = pl.struct(pl.col("attribute_ids").alias("s3rec"))
    return items.select(
        "item_id",
        "title",
        attributes.struct.json_encode().alias("attributes"),
        pl.lit("en").alias("language"),
    ).sort("item_id")
