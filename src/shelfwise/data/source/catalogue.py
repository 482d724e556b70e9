"""The rules of a catalogue."""

from __future__ import annotations

import json

import polars as pl

from shelfwise.data.source.rules import Rule
from shelfwise.data.source.text_rules import clean_id, clean_text, given
from shelfwise.data.source.value_rules import flag, not_negative, number
from shelfwise.schema.columns import CATALOGUE


def catalogue_rules(longest_title: int) -> tuple[Rule, ...]:
    """What each item must keep by itself; where several are broken, the first is the reason."""
    return (
        given("item_id"),
        *clean_id("item_id"),
        *clean_text("title", longest_title),
        *clean_text("category", longest_title),
        *clean_text("brand", longest_title),
        *clean_text("attributes"),
        number("price"),
        not_negative("price"),
        flag("available"),
        Rule(
            "attributes-not-json",
            "attributes",
            pl.col("attributes").map_batches(_not_an_object, return_dtype=pl.Boolean),
            "attributes are one JSON object",
            'write them like {"colour": "red"}',
        ),
    )


def uniqueness_rules() -> tuple[Rule, ...]:
    """What items must keep among each other, once exact duplicates are gone."""
    later = ~pl.col("item_id").is_first_distinct()
    same_title = pl.col("title").eq_missing(pl.col("title").first().over("item_id"))
    return (
        Rule(
            "duplicate-item",
            "item_id",
            later & ~same_title,
            "an item has one row, and this id came before with another title",
            "give each item its own id, or remove the row that is out of date",
        ),
        Rule(
            "repeated-item",
            "item_id",
            later & same_title,
            f"an item has one row, and this id came before with another "
            f"{', '.join(column.name for column in CATALOGUE[2:-1])} or {CATALOGUE[-1].name}",
            "remove the row that is out of date",
        ),
    )


def _not_an_object(texts: pl.Series) -> pl.Series:
    distinct = texts.drop_nulls().unique()
    bad = [text for text in distinct if not _is_object(text)]
    return texts.is_in(bad)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
