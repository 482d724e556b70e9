"""Which impression earned a click, and which click earned a purchase.

A log that names its requests is believed: an outcome belongs to the impression of its item in its
request. Where an outcome names none, it goes to the last touch of the same owner and item: a click
or cart to the latest impression within the click window, a purchase to the latest clicked
impression within the purchase window (in a log without clicks, to the latest impression), a
return to the latest purchase. An outcome before its impression is a clock's mistake and belongs to
none.

Outcomes are stored as *times*, so that the label of a row can be asked for as of any moment: a
purchase that had not yet happened when training ended is unknown to training, not negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from shelfwise.data.config import AttributionOptions
from shelfwise.schema.event import EventKind

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR
_CLICK_KINDS = (EventKind.CLICK, EventKind.CART)


def attribute(
    events: pl.DataFrame,
    options: AttributionOptions,
    *,
    has_clicks: bool | None = None,
    features: Sequence[str] = (),
) -> pl.DataFrame:
    """Impressions with the times of what came of them.

    Args:
        events: columns ``event, owner, item, at, request_id, position, surface, propensity``;
            ``at`` in microseconds.
        options: the windows.
        has_clicks: whether the log has any, where ``events`` are only a part of it.
        features: further columns that impressions keep.

    Returns:
        One row an impression: its columns, ``clicked_at``, ``purchased_at`` and ``returned_at``
        (null where it did not happen). A bought row is always a clicked one, at any moment: where
        the log lacks the click or has it later, the purchase's moment stands in for it.
    """
    shown = (
        events.filter(_is(EventKind.IMPRESSION))
        .select(
            *("request_id", "owner", "item", "at", "position", "surface", "propensity"), *features
        )
        .with_columns(pl.col("surface").cast(pl.String))
        .with_row_index("impression")
    )
    clicks = events.filter(_is(*_CLICK_KINDS))
    purchases = events.filter(_is(EventKind.PURCHASE))
    # A named purchase has its window too: otherwise a row known as not bought could still change.
    by_request = _named(shown, clicks, pl.col("at"), None)
    by_touch = _last_touch(shown, clicks, pl.col("at"), int(options.click_window_hours * HOUR))
    clicked = _with_first(shown, "clicked_at", by_request, by_touch)

    window = int(options.purchase_window_days * DAY)
    touch = pl.coalesce("clicked_at", "at")
    by_request = _named(clicked, purchases, touch, window)
    touched = (
        touch
        if has_clicks is False or (has_clicks is None and clicks.is_empty())
        else pl.col("clicked_at")
    )
    by_touch = _last_touch(clicked, purchases, touched, window)
    bought = _with_first(clicked, "purchased_at", by_request, by_touch)

    window = int(options.return_window_days * DAY)
    returns = events.filter(_is(EventKind.RETURN))
    taken = pl.col("purchased_at")
    by_request = _named(bought, returns, taken, window, "purchased_at")
    by_touch = _last_touch(bought, returns, taken, window)
    returned = _with_first(bought, "returned_at", by_request, by_touch)
    return returned.with_columns(
        pl.min_horizontal("clicked_at", "purchased_at").alias("clicked_at")
    ).drop("impression")


def _is(*kinds: EventKind) -> pl.Expr:
    return pl.col("event").is_in([kind.value for kind in kinds])


def _with_first(shown: pl.DataFrame, name: str, *found: pl.DataFrame) -> pl.DataFrame:
    """Add column ``name``: the earliest outcome found for each impression."""
    first = pl.concat(found).group_by("impression").agg(pl.col("outcome_at").min().alias(name))
    return shown.join(first, on="impression", how="left", maintain_order="left")


def _named(
    shown: pl.DataFrame,
    outcomes: pl.DataFrame,
    touch: pl.Expr,
    window: int | None,
    since: str = "at",
) -> pl.DataFrame:
    """``impression, outcome_at`` of outcomes that name their request: not before column ``since``,
    and ``window`` after touch at the latest."""
    pair = ["request_id", "item"]
    named = outcomes.filter(pl.col("request_id").is_not_null())
    # Few of the impressions are answered: only these are looked at closely.
    answered = shown.join(named.select(pair), on=pair, how="semi", maintain_order="left")
    once = answered.unique(pair, keep="first", maintain_order=True)
    found = (
        once.select("impression", *pair, pl.col(since).alias("at"), touch.alias("touch_at"))
        .filter(pl.col("touch_at").is_not_null())
        .join(named.select(*pair, pl.col("at").alias("outcome_at")), on=pair)
        .filter(pl.col("outcome_at") >= pl.col("at"))
    )
    if window is not None:
        found = found.filter(pl.col("outcome_at") <= pl.col("touch_at") + window)
    return found.select("impression", "outcome_at")


def _last_touch(
    shown: pl.DataFrame, outcomes: pl.DataFrame, touch: pl.Expr, window: int
) -> pl.DataFrame:
    """``impression, outcome_at`` of outcomes that name no request."""
    unnamed = outcomes.filter(pl.col("request_id").is_null())
    if unnamed.is_empty():
        return shown.select("impression", touch.alias("outcome_at")).clear()
    touches = (
        shown.select("impression", "owner", "item", touch.alias("at"))
        .filter(pl.col("at").is_not_null())
        .join(unnamed.select("owner", "item"), on=["owner", "item"], how="semi")
        .sort("at", "impression")
    )
    return (
        unnamed.select("owner", "item", "at", pl.col("at").alias("outcome_at"))
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
        .select("impression", "outcome_at")
    )


def labels_as_of(
    impressions: pl.DataFrame, moment: int, options: AttributionOptions
) -> pl.DataFrame:
    """What was known at ``moment`` of impressions shown before it.

    Adds ``clicked`` (bool), ``purchased`` (bool) and ``known`` (bool): ``known`` is False as long
    as a purchase may still come, whatever has come already. The young rows that sold, without those
    that may still sell, would overstate conversion; the young rows nobody clicked, without the
    clicked ones beside them, would understate it.
    """
    clicked = (pl.col("clicked_at") < moment).fill_null(False)
    purchased = (pl.col("purchased_at") < moment).fill_null(False)
    return impressions.filter(pl.col("at") < moment).with_columns(
        clicked.alias("clicked"),
        purchased.alias("purchased"),
        (settled_at(clicked, options) < moment).alias("known"),
    )


def settled_at(clicked: pl.Expr, options: AttributionOptions) -> pl.Expr:
    """Last moment at which something can still come of a row: the end of its purchase window.

    The window of a clicked row runs from its click, that of a row without one from when it was
    shown; and no row is settled before a click could no longer come, clicked or not. Rows nobody
    clicked could wait for click window *and* purchase window, but then the clicked ones of a day
    would be settled without them; so what is left of a difference is the clicks' own delay.
    """
    window = int(options.purchase_window_days * DAY)
    shortest = pl.col("at") + max(window, int(options.click_window_hours * HOUR))
    # Where a purchase stands in for its click, the touch was the impression.
    touched = clicked & pl.col("clicked_at").ne_missing(pl.col("purchased_at"))
    from_click = pl.max_horizontal(pl.col("clicked_at") + window, shortest)
    return pl.when(touched).then(from_click).otherwise(shortest)
