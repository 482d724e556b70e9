"""Which impression earned a click, and which click earned a purchase.

A log that names its requests is believed. Where it does not, an outcome goes to the last touch of
the same owner and item: a click or cart to the latest impression within the click window, a
purchase to the latest clicked impression within the purchase window. Outcomes are stored as
*times*, so that the label of a row can be asked for as of any moment: a purchase that had not yet
happened when training ended is unknown to training, not negative.
"""

from __future__ import annotations

import polars as pl

from shelfwise.data.config import AttributionOptions
from shelfwise.schema.event import EventKind

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR
_CLICK_KINDS = (EventKind.CLICK, EventKind.CART)


def attribute(events: pl.DataFrame, options: AttributionOptions) -> pl.DataFrame:
    """Impressions with the times of what came of them.

    Args:
        events: columns ``event, owner, item, at, request_id, position, surface, propensity``;
            ``at`` in microseconds.
        options: the two windows.

    Returns:
        One row an impression: its columns, ``clicked_at`` and ``purchased_at`` (null where it did
        not happen). A bought row is always a clicked one: where the log lacks the click, the
        purchase's moment stands in for it.
    """
    shown = (
        events.filter(pl.col("event") == EventKind.IMPRESSION)
        .select("request_id", "owner", "item", "at", "position", "surface", "propensity")
        .with_row_index("impression")
    )
    clicks = events.filter(pl.col("event").is_in(_CLICK_KINDS))
    clicked = _first_outcome(shown, clicks, "clicked_at", int(options.click_window_hours * HOUR))
    touched = clicked.with_columns(
        pl.coalesce("clicked_at", "at").alias("touch_at"),
    )
    purchases = events.filter(pl.col("event") == EventKind.PURCHASE)
    bought = _first_outcome(
        touched, purchases, "purchased_at", int(options.purchase_window_days * DAY)
    )
    return bought.with_columns(pl.coalesce("clicked_at", "purchased_at").alias("clicked_at")).drop(
        "touch_at", "impression"
    )


def _first_outcome(
    shown: pl.DataFrame, outcomes: pl.DataFrame, name: str, window: int
) -> pl.DataFrame:
    """Add column ``name``: the first outcome that belongs to each impression."""
    named = outcomes.filter(pl.col("request_id").is_not_null())
    by_request = (
        named.join(
            shown.select("impression", "request_id", "item").unique(
                ["request_id", "item"], keep="first", maintain_order=True
            ),
            on=["request_id", "item"],
        )
        .group_by("impression")
        .agg(pl.col("at").min().alias("by_request"))
    )
    by_touch = _last_touch(shown, outcomes.filter(pl.col("request_id").is_null()), window)
    return (
        shown.join(by_request, on="impression", how="left", maintain_order="left")
        .join(by_touch, on="impression", how="left", maintain_order="left")
        .with_columns(pl.min_horizontal("by_request", "by_touch").alias(name))
        .drop("by_request", "by_touch")
    )


def _last_touch(shown: pl.DataFrame, outcomes: pl.DataFrame, window: int) -> pl.DataFrame:
    touch = "touch_at" if "touch_at" in shown.columns else "at"
    touches = shown.select("impression", "owner", "item", pl.col(touch).alias("at")).sort("at")
    return (
        outcomes.select("owner", "item", "at")
        .with_columns(pl.col("at").alias("by_touch"))
        .sort("at")
        .join_asof(
            touches,
            on="at",
            by=["owner", "item"],
            strategy="backward",
            tolerance=window,
            check_sortedness=False,
        )
        .filter(pl.col("impression").is_not_null())
        .group_by("impression")
        .agg(pl.col("by_touch").min())
    )


def labels_as_of(
    impressions: pl.DataFrame, moment: int, options: AttributionOptions
) -> pl.DataFrame:
    """What was known at ``moment`` of impressions shown before it.

    Adds ``clicked`` (bool), ``purchased`` (bool) and ``known`` (bool): ``known`` is False while a
    clicked row's purchase window is still open, also where something was bought already: to count
    the young clicks that sold, and not those that may still sell, would overstate conversion.
    """
    window = int(options.purchase_window_days * DAY)
    clicked = (pl.col("clicked_at") < moment).fill_null(False)
    purchased = (pl.col("purchased_at") < moment).fill_null(False)
    closed = (pl.col("clicked_at") + window <= moment).fill_null(False)
    return impressions.filter(pl.col("at") < moment).with_columns(
        clicked.alias("clicked"),
        purchased.alias("purchased"),
        (~clicked | closed).alias("known"),
    )
