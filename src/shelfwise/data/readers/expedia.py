"""Expedia hotel searches (ICDM 2013): lists of hotels as shown, clicks, bookings.

A search is its own session: the log names no user. Times carry no zone and are taken as UTC.
A click and a booking are dated to their search, whose row is all that the log says of them; no
propensity is written, not even for the searches in random order (``random_bool``), because the
published lists are thinned and the hotels that could have been shown are not known.

What belongs to the search, what is said of a hotel in one search (promotion, competitors, distance,
...) and what never changes of a hotel are declared as features; the first two stand in the log
beside each impression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.feature_section import features_toml, types_of
from shelfwise.data.readers.outcomes import events_of
from shelfwise.data.readers.periods import periods_by_rows, split_toml
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import Layout, PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.data.readers.typical import typical
from shelfwise.schema.event import EventKind, Surface

CARD = DatasetCard(
    name="expedia",
    title="Personalize Expedia Hotel Searches (ICDM 2013)",
    publisher="Expedia, through Kaggle",
    url="https://www.kaggle.com/c/expedia-personalized-sort",
    terms="rules of the Kaggle competition; no licence to redistribute is stated",
    citation=(
        "Expedia (2013): Personalize Expedia Hotel Searches - ICDM 2013. Kaggle. "
        "https://www.kaggle.com/c/expedia-personalized-sort"
    ),
    shows=(
        "lists as they were shown, with clicks and bookings; about a third of the searches in "
        "random order, so the effect of position can be told from that of the hotel. Searches "
        "without a click were not published, so no click rate holds outside; no user and no text"
    ),
    files=("train.csv", "searches_10000.csv", "expedia-personalized-sort.zip", "data.zip"),
)

# The hotel's own, as far as they never change.
_OF_HOTEL = (
    PublishedColumn("stars", "prop_starrating", "number"),
    PublishedColumn("review_score", "prop_review_score", "number"),
    PublishedColumn("chain", "prop_brand_bool", "integer"),
    PublishedColumn("location_score_1", "prop_location_score1", "number"),
)
# The same on every row of a search.
_OF_SEARCH = (
    PublishedColumn("site_id", "site_id", "id"),
    PublishedColumn("visitor_country", "visitor_location_country_id", "id"),
    PublishedColumn("visitor_stars", "visitor_hist_starrating", "number"),
    PublishedColumn("visitor_daily_rate", "visitor_hist_adr_usd", "number"),
    PublishedColumn("destination", "srch_destination_id", "id"),
    PublishedColumn("nights", "srch_length_of_stay", "integer"),
    PublishedColumn("days_ahead", "srch_booking_window", "integer"),
    PublishedColumn("adults", "srch_adults_count", "integer"),
    PublishedColumn("children", "srch_children_count", "integer"),
    PublishedColumn("rooms", "srch_room_count", "integer"),
    PublishedColumn("saturday_night", "srch_saturday_night_bool", "integer"),
    PublishedColumn("random_order", "random_bool", "integer"),
)
_OF_OFFER = (
    PublishedColumn("location_score_2", "prop_location_score2", "number"),
    PublishedColumn("log_historical_price", "prop_log_historical_price", "number"),
    PublishedColumn("promotion", "promotion_flag", "integer"),
    PublishedColumn("query_affinity", "srch_query_affinity_score", "number"),
    PublishedColumn("distance", "orig_destination_distance", "number"),
    *(
        PublishedColumn(f"competitor_{number}_{name}", f"comp{number}_{header}", "number")
        for number in range(1, 9)
        for name, header in (
            ("rate", "rate"),
            ("sold_out", "inv"),  # 1: the competitor has no room
            ("difference", "rate_percent_diff"),
        )
    ),
)
COLUMNS = (
    PublishedColumn("request_id", "srch_id", "id"),
    PublishedColumn("timestamp", "date_time", "time"),
    PublishedColumn("item_id", "prop_id", "id"),
    PublishedColumn("position", "position", "integer"),
    PublishedColumn("price", "price_usd", "number"),
    PublishedColumn("clicked", "click_bool", "integer"),
    PublishedColumn("booked", "booking_bool", "integer"),
    PublishedColumn("paid", "gross_bookings_usd", "number"),
    *_OF_HOTEL,
    PublishedColumn("country", "prop_country_id", "id"),
    *_OF_SEARCH,
    *_OF_OFFER,
)
_LAYOUT = Layout(nulls=("NULL",))  # as Kaggle's file writes an empty cell

_REASONS = (
    (
        "search, time, hotel or position missing",
        missing("request_id", "timestamp", "item_id", "position"),
    ),
    ("click or booking not said", missing("clicked", "booked")),
)

_SHOP_TOML = """\
# Expedia hotel searches, converted by `shelfwise datasets convert expedia`.
[shop]
name = "Expedia hotel searches (ICDM 2013)"
currency = "USD"

[attribution]
# Clicks and bookings are dated to their search: what a row says is final at once.
purchase_window_days = 0.001

[match]
events = ["click", "purchase"]
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The publisher's table and what its rows become."""
    table = folder.table(COLUMNS, layout=_LAYOUT)
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Every row as an impression, with its click and its booking; every hotel as an item."""
    shown, left_out = sort_out(table, _REASONS, table.columns)
    periods = periods_by_rows(shown["timestamp"])
    return ConvertedShop(
        tables={"catalogue": _catalogue(shown, periods or ()), "events": _events(shown)},
        kept={"impression": shown.height},
        left_out=left_out,
        shop_toml=_SHOP_TOML
        + split_toml(periods)
        + features_toml("events", types_of((*_OF_SEARCH, *_OF_OFFER)))
        + features_toml("items", types_of(_OF_HOTEL)),
        changed={},
        found=_found(shown),
    )


def _events(shown: pl.DataFrame) -> pl.DataFrame:
    """The price of an impression is that offered; of a booking, all that was paid for it."""
    tie = (
        "line",
        pl.col("request_id").alias("session_id"),
        "request_id",
        "item_id",
        "timestamp",
        pl.lit(Surface.SEARCH.value).alias("surface"),
    )
    booked = shown.filter(pl.col("booked") == 1)
    context = [column.name for column in (*_OF_SEARCH, *_OF_OFFER)]
    return events_of(
        {
            EventKind.IMPRESSION: shown.select(*tie, "position", "price", *context),
            EventKind.CLICK: shown.filter(pl.col("clicked") == 1).select(*tie, "price"),
            EventKind.PURCHASE: booked.select(
                *tie, pl.col("paid").alias("price"), pl.lit(1.0).alias("quantity")
            ),
        },
        order=["timestamp"],
    )


def _catalogue(shown: pl.DataFrame, starts: Sequence[datetime]) -> pl.DataFrame:
    items = shown.select("item_id").unique().sort("item_id")
    own = [column.name for column in _OF_HOTEL]
    for name in (*own, "country"):
        values = typical(shown, name, starts)
        items = items.join(values, on="item_id", how="left", maintain_order="left")
    return items.select(
        "item_id",
        _title().alias("title"),
        pl.format("country {}", "country").alias("category"),
        pl.lit("en").alias("language"),
        *own,
    )


def _title() -> pl.Expr:
    """Words for the numbers: "hotel with 3 stars, part of a chain, reviewed 4.5 of 5"."""
    stars = pl.col("stars").cast(pl.Int64)
    review = pl.col("review_score")
    parts = (
        # 0 is the publisher's word for "no stars, or not known".
        pl.when(stars > 0)
        .then(pl.format("hotel with {} stars", stars))
        .otherwise(pl.lit("hotel without stars")),
        pl.when(pl.col("chain") == 1).then(pl.lit("part of a chain")),
        pl.when(review > 0)
        .then(pl.format("reviewed {} of 5", review))
        .when(review == 0)
        .then(pl.lit("not reviewed")),
    )
    return pl.concat_str(parts, separator=", ", ignore_nulls=True)


def _found(shown: pl.DataFrame) -> Mapping[str, int]:
    searches = shown.group_by("request_id").agg(
        pl.col("random_order").max(), pl.col("clicked").sum(), pl.col("position").max(), pl.len()
    )
    varying = {
        f"hotels whose {name} varies": shown.group_by("item_id")
        .agg(pl.col(name).drop_nulls().n_unique())
        .filter(pl.col(name) > 1)
        .height
        for name in (*(column.name for column in _OF_HOTEL), "country")
    }
    return {
        "clicks": shown.filter(pl.col("clicked") == 1).height,
        "bookings": shown.filter(pl.col("booked") == 1).height,
        "searches": searches.height,
        "searches in random order": searches.filter(pl.col("random_order") == 1).height,
        "searches without a click": searches.filter(pl.col("clicked") == 0).height,
        "searches whose list has gaps": searches.filter(pl.col("position") > pl.col("len")).height,
        "hotels": shown["item_id"].n_unique(),
        **varying,
    }
