"""The rules of a list of users."""

from __future__ import annotations

import polars as pl

from shelfwise.data.source.rules import Rule
from shelfwise.data.source.text_rules import clean_id, given


def user_rules() -> tuple[Rule, ...]:
    """What each user must keep; all but the id are features, typed by shop.toml."""
    return (given("user_id"), *clean_id("user_id"))


def uniqueness_rules() -> tuple[Rule, ...]:
    return (
        Rule(
            "duplicate-user",
            "user_id",
            ~pl.col("user_id").is_first_distinct(),
            "a user has one row, and this id came before",
            "remove the row that is out of date",
        ),
    )
