"""The rules of a list of ad campaigns."""

from __future__ import annotations

import polars as pl

from shelfwise.data.source.rules import Rule, absent
from shelfwise.data.source.text_rules import clean_id, clean_text, given
from shelfwise.data.source.value_rules import not_negative, number, one_kind_of_zone, time


def campaign_rules(
    known_items: pl.Series | None, longest_title: int, zone: str
) -> tuple[Rule, ...]:
    """What each campaign must keep; ``known_items`` None: there is no catalogue to ask."""
    unknown = (
        pl.lit(False) if known_items is None else ~pl.col("item_id").is_in(known_items.implode())
    )
    return (
        given("campaign_id"),
        given("item_id"),
        *clean_id("campaign_id"),
        *clean_id("item_id"),
        *clean_text("title", longest_title),
        number("bid"),
        Rule("missing-bid", "bid", absent("bid"), "bid must be given", "fill in the bid per click"),
        not_negative("bid", needed=True),
        number("budget"),
        not_negative("budget"),
        time("start"),
        time("end"),
        one_kind_of_zone("start", zone),
        one_kind_of_zone("end", zone),
        Rule(
            "end-before-start",
            "end",
            pl.col("end") < pl.col("start"),
            "a campaign ends after it starts",
            "correct start or end",
        ),
        Rule(
            "unknown-item",
            "item_id",
            unknown,
            "a campaign's item is in the catalogue",
            "add the item to the catalogue, or remove the campaign",
        ),
    )


def uniqueness_rules() -> tuple[Rule, ...]:
    return (
        Rule(
            "duplicate-campaign",
            "campaign_id",
            ~pl.col("campaign_id").is_first_distinct(),
            "a campaign has one row, and this id came before",
            "give each campaign its own id",
        ),
    )
