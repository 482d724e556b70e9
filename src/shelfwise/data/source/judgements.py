"""The rules of judgements: how well an item answers a query."""

from __future__ import annotations

import polars as pl

from shelfwise.data.source.rules import Rule, absent
from shelfwise.data.source.text_rules import clean_id, clean_text, given
from shelfwise.data.source.value_rules import not_negative, number


def judgement_rules(known_items: pl.Series | None, longest: int) -> tuple[Rule, ...]:
    """What each judgement must keep; ``known_items`` None: there is no catalogue to ask."""
    titled = pl.col("title").is_not_null()
    unknown = (
        pl.lit(False) if known_items is None else ~pl.col("item_id").is_in(known_items.implode())
    )
    return (
        given("query"),
        *clean_text("query", longest),
        *clean_id("item_id"),
        *clean_text("title", longest),
        number("grade"),
        Rule("missing-grade", "grade", absent("grade"), "grade must be given", "fill it in"),
        not_negative("grade", needed=True),
        Rule(
            "nothing-judged",
            "item_id",
            pl.col("item_id").is_null() & ~titled,
            "a judgement has an item_id or a title",
            "fill in one of them, or remove the row",
        ),
        Rule(
            "unknown-item",
            "item_id",
            unknown & ~titled,
            "a judged item is in the catalogue or has a title",
            "add the item to the catalogue, or a title to the row",
        ),
    )


def uniqueness_rules() -> tuple[Rule, ...]:
    pair = pl.struct("query", pl.coalesce("item_id", "title"))
    return (
        Rule(
            "judged-twice",
            "grade",
            ~pair.is_first_distinct(),
            "a query and an item have one grade; they came before with another, and both are kept",
            "decide for one grade, or for their mean, if that is not meant",
            outcome="note",
        ),
    )
