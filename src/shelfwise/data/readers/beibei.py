"""Beibei: which items of a Chinese shop users put in the cart and bought; numbers alone, no time.

One line a user, the items in order of their number: the order of a line is no order of time, so
events carry neither ``timestamp`` nor ``sequence``. Every purchase of train was also in the cart;
of the purchases held out (``published_part`` = test), one a user, some were not.
"""

from __future__ import annotations

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import as_text
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop, counts
from shelfwise.data.readers.user_lines import user_lines

CARD = DatasetCard(
    name="beibei",
    title="Beibei: carts and purchases",
    publisher="Chong Chen and others, with GHCF",
    url="https://github.com/chenchongthu/GHCF",
    terms="no licence stated; for research, and not to be redistributed",
    citation=(
        "Chen, C., Ma, W., Zhang, M., Wang, Z., He, X., Wang, C., Liu, Y., Ma, S. (2021): Graph "
        "Heterogeneous Multi-Relational Recommendation. AAAI 35(5), 3958-3966"
    ),
    shows=(
        "P(purchase given cart) and multi-task learning over ids. No text and no time: `prepare` "
        "needs an order and refuses every event, so read the converted tables themselves"
    ),
    files=("Data/Beibei/train.txt", "Beibei_train.txt", "train.txt"),
    prepares=False,
)
_FILES = {
    ("cart", "train"): ("Data/Beibei/cart.txt", "Beibei_cart.txt", "cart.txt"),
    ("purchase", "train"): CARD.files,
    ("purchase", "test"): ("Data/Beibei/test.txt", "Beibei_test.txt", "test.txt"),
}

SHOP_TOML = f"""\
# Beibei, converted by `shelfwise datasets convert {CARD.name}`.
# The log has no time and no order, so `shelfwise prepare` cannot make histories from it.
[shop]
name = "Beibei"
currency = "CNY"

[match]
events = ["purchase"]
"""

_REASONS = (("user or item missing", missing("user_id", "item_id")),)


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The three files, a pair of user and item a row."""
    table = pl.concat(
        user_lines(as_text(folder.content(names).content)).select(
            pl.lit(event).alias("event"),
            pl.lit(part).alias("published_part"),
            "line",
            "user_id",
            "item_id",
        )
        for (event, part), names in _FILES.items()
    )
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Each pair as a cart or a purchase; the catalogue has no more than the items' numbers."""
    kept, left_out = sort_out(table, _REASONS, table.columns)
    events = kept.select("event", "user_id", "item_id", "published_part")
    pair = ["user_id", "item_id"]
    carts = events.filter(pl.col("event") == "cart").select(pair).unique()
    bought = events.filter(pl.col("event") == "purchase")
    outside = bought.join(carts, on=pair, how="anti")
    return ConvertedShop(
        tables={"catalogue": events.select("item_id").unique().sort("item_id"), "events": events},
        kept=counts(events["event"]),
        left_out=left_out,
        shop_toml=SHOP_TOML,
        changed={},
        found={
            "users": events["user_id"].n_unique(),
            "items": events["item_id"].n_unique(),
            **{
                f"purchases of {part}": rows
                for part, rows in counts(bought["published_part"]).items()
            },
            **{
                f"purchases of {part} outside the cart": rows
                for part, rows in counts(outside["published_part"]).items()
            },
        },
    )
