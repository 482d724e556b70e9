"""TalkingData AdTracking: clicks on app ads, and the installs they led to.

Times are in UTC according to the publisher. No user is named: one address, device and system
together (``ip-device-os``) stand for a user, which an office or a mobile network may share and a
fraudster may multiply. The address itself is in the column ``ip``, for the fraud filter. The item
is the app; an install is its purchase, at ``attributed_time``.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.feature_section import features_toml, types_of
from shelfwise.data.readers.outcomes import events_of
from shelfwise.data.readers.periods import periods_by_rows, split_toml
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.schema.event import EventKind, Surface

CARD = DatasetCard(
    name="talkingdata",
    title="TalkingData AdTracking Fraud Detection",
    publisher="TalkingData, through Kaggle",
    url="https://www.kaggle.com/c/talkingdata-adtracking-fraud-detection",
    terms="rules of the Kaggle competition; no licence to redistribute is stated",
    citation=(
        "TalkingData (2018): TalkingData AdTracking Fraud Detection Challenge. Kaggle. "
        "https://www.kaggle.com/c/talkingdata-adtracking-fraud-detection"
    ),
    shows=(
        "delayed conversions, and patterns of click fraud by address (nobody labelled them). The "
        "sample draws single clicks at random, so sessions and rates within it are thinned. Ids "
        "alone; no impressions, so nothing about click-through"
    ),
    files=("train_sample.csv", "train.csv"),
)

_FEATURES = (
    PublishedColumn("device", "device", "id"),
    PublishedColumn("os", "os", "id"),
    PublishedColumn("channel", "channel", "id"),
)
COLUMNS = (
    PublishedColumn("ip", "ip", "id"),
    PublishedColumn("item_id", "app", "id"),
    *_FEATURES,
    PublishedColumn("timestamp", "click_time", "time"),
    PublishedColumn("installed_at", "attributed_time", "time"),
    PublishedColumn("installed", "is_attributed", "integer"),
)

_REASONS = (
    (
        "address, app, device, system or time missing",
        missing("ip", "item_id", "device", "os", "timestamp"),
    ),
    ("install not said", missing("installed")),
    (
        "install and its time contradict each other",
        (pl.col("installed") == 1) != pl.col("installed_at").is_not_null(),
    ),
    ("install before its click", pl.col("installed_at") < pl.col("timestamp")),
)

_SHOP_TOML = """\
# TalkingData AdTracking, converted by `shelfwise datasets convert talkingdata`.
[shop]
name = "TalkingData AdTracking"

[attribution]
# Four days of log: a window of days would leave every click unknown. Six hours hold nine of ten
# installs.
purchase_window_days = 0.25

[match]
events = ["click"]
target = "next"
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's table and what its rows become."""
    table = folder.table(COLUMNS)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Every row as a click on an ad, its install as a purchase."""
    clicks, left_out = sort_out(table, _REASONS, table.columns)
    # The test is wider than usual, so that the window of most of its clicks has closed.
    periods = periods_by_rows(clicks["timestamp"], validation_share=0.15, test_share=0.3)
    return ConvertedShop(
        tables={"events": _events(clicks)},
        kept={"click": clicks.height},
        left_out=left_out,
        shop_toml=_SHOP_TOML + split_toml(periods) + features_toml("events", types_of(_FEATURES)),
        changed={},
        found=_found(clicks, table.columns[1:]),
    )


def _user() -> pl.Expr:
    return pl.format("{}-{}-{}", "ip", "device", "os")


def _events(clicks: pl.DataFrame) -> pl.DataFrame:
    who = ("line", _user().alias("user_id"), "item_id")
    on = pl.lit(Surface.ADS.value).alias("surface")
    return events_of(
        {
            EventKind.CLICK: clicks.select(*who, "timestamp", on, "ip", "device", "os", "channel"),
            EventKind.PURCHASE: clicks.filter(pl.col("installed") == 1).select(
                *who, pl.col("installed_at").alias("timestamp"), on, "ip"
            ),
        },
        order=["timestamp"],
    )


def _found(clicks: pl.DataFrame, published: list[str]) -> Mapping[str, int]:
    installs = clicks.filter(pl.col("installed") == 1)
    delay = pl.col("installed_at") - pl.col("timestamp")
    return {
        "installs": installs.height,
        "installs within six hours": installs.filter(delay <= pl.duration(hours=6)).height,
        "addresses": clicks["ip"].n_unique(),
        "users (address, device and system)": clicks.select(_user()).n_unique(),
        "apps": clicks["item_id"].n_unique(),
        "channels": clicks["channel"].n_unique(),
        "rows that repeat another exactly": clicks.height - clicks.select(published).n_unique(),
    }
