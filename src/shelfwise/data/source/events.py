"""The rules of a behaviour log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from shelfwise.data.source.rules import Rule, absent, raw, unreadable
from shelfwise.data.source.text_rules import clean_id, clean_text
from shelfwise.data.source.typed import raw_name
from shelfwise.data.source.value_rules import (
    not_negative,
    number,
    one_kind_of_zone,
    time,
    whole_number,
)
from shelfwise.schema.event import EventKind, Surface

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # no shop logged behaviour before the web


def with_kinds(events: pl.DataFrame, names: Mapping[str, EventKind]) -> pl.DataFrame:
    """``event`` as Shelfwise's kinds; ``raw:event`` keeps the log's own name."""
    kinds = {kind.value: kind.value for kind in EventKind}
    kinds |= {own: kind.value for own, kind in names.items()}
    said = pl.col("event")
    return events.with_columns(
        said.alias(raw_name("event")),
        said.replace_strict(kinds, default=None, return_dtype=pl.String),
    )


def identity_rules() -> tuple[Rule, ...]:
    """Who did what, to which item."""
    kind = pl.col("event")
    return (
        Rule("missing-event", "event", raw("event").is_null(), "event must be given", "fill it in"),
        Rule(
            "unknown-event",
            "event",
            unreadable("event"),
            f"event is one of {', '.join(EventKind)}",
            "map the log's own name in shop.toml under [events.names]",
            choices=tuple(EventKind),
        ),
        Rule(
            "no-actor",
            "user_id",
            pl.col("user_id").is_null() & pl.col("session_id").is_null(),
            "an event has a user_id or a session_id",
            "fill in one of them, or remove the row",
        ),
        Rule(
            "missing-item-id",
            "item_id",
            pl.col("item_id").is_null() & (kind != EventKind.SEARCH.value),
            "every event but a search has an item_id",
            "fill it in, or remove the row",
        ),
    )


def time_rules(latest: datetime, zone: str, *, ordered: bool = False) -> tuple[Rule, ...]:
    """``ordered``: the place of a row in its file is its sequence where it has none."""
    return (
        time("timestamp"),
        whole_number("sequence"),
        Rule(
            "missing-time",
            "timestamp",
            absent("timestamp") & absent("sequence") & (not ordered),
            "an event has a timestamp or a sequence",
            "fill in one of them, or remove the row",
        ),
        Rule(
            "time-in-future",
            "timestamp",
            pl.col("timestamp") > latest,
            f"timestamp is {latest:%Y-%m-%dT%H:%M:%SZ} at the latest",
            "correct the clock or its zone (events.timezone), or move events.latest",
        ),
        Rule(
            "time-too-early",
            "timestamp",
            pl.col("timestamp") < EARLIEST,
            f"timestamp is {EARLIEST:%Y} or later",
            "numbers are seconds, milliseconds or microseconds since 1970; correct the unit",
        ),
        one_kind_of_zone("timestamp", zone),
    )


def value_rules(longest_query: int) -> tuple[Rule, ...]:
    ids = ("user_id", "session_id", "item_id", "request_id", "campaign_id")
    return (
        *(rule for column in ids for rule in clean_id(column)),
        *clean_text("query", longest_query),
        Rule(
            "unknown-surface",
            "surface",
            ~pl.col("surface").is_in([surface.value for surface in Surface]),
            f"surface is one of {', '.join(Surface)}",
            "write one of them, or leave it empty",
            choices=tuple(Surface),
        ),
        whole_number("position"),
        Rule(
            "position-below-1",
            "position",
            pl.col("position") < 1,
            "position is 1 or more",
            "the first place is 1; add 1 where the log counts from 0",
        ),
        number("price"),
        not_negative("price"),
        number("quantity"),
        Rule(
            "quantity-not-positive",
            "quantity",
            (pl.col("quantity") <= 0) | pl.col("quantity").is_infinite(),
            "quantity is more than 0",
            "write returns as events of the kind return, with a positive quantity",
        ),
        number("propensity"),
        Rule(
            "propensity-out-of-range",
            "propensity",
            ~((pl.col("propensity") > 0) & (pl.col("propensity") <= 1)),
            "propensity is more than 0 and at most 1",
            "write the probability with which the item was shown, or leave it empty",
        ),
    )


def unknown_item_rule(known_items: pl.Series, *, reject: bool) -> Rule:
    return Rule(
        "unknown-item",
        "item_id",
        ~pl.col("item_id").is_in(known_items.implode()),
        "an event's item is in the catalogue" if reject else "the catalogue lacks the item",
        "add the item to the catalogue (if it is there, its row was refused), "
        'or set catalogue.unknown_items = "keep"'
        if reject
        else "they are kept, the item by its id alone",
        outcome="reject" if reject else "note",
    )
