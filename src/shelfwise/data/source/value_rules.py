"""Rules for numbers and times of every table."""

from __future__ import annotations

import polars as pl

from shelfwise.data.source.rules import Rule, raw, unreadable
from shelfwise.data.source.times import has_zone, lacks_zone


def number(column: str) -> Rule:
    return Rule(
        "not-a-number",
        column,
        unreadable(column),
        f"{column} is a number",
        "write it like 12.50, without currency or thousands separator",
        of_type=True,
    )


def whole_number(column: str) -> Rule:
    return Rule(
        "not-a-whole-number",
        column,
        unreadable(column),
        f"{column} is a whole number",
        "write it like 12",
        of_type=True,
    )


def flag(column: str) -> Rule:
    return Rule(
        "not-a-flag",
        column,
        unreadable(column),
        f"{column} is true or false",
        "write true or false, yes or no, 1 or 0",
        of_type=True,
    )


def not_negative(column: str, *, needed: bool = False) -> Rule:
    return Rule(
        f"negative-{column}",
        column,
        (pl.col(column) < 0) | pl.col(column).is_infinite(),
        f"{column} is 0 or more",
        f"correct the {column}, or remove the row"
        if needed
        else f"correct the {column}; leave it empty where it is unknown",
    )


def time(column: str) -> Rule:
    return Rule(
        "unparsable-time",
        column,
        unreadable(column),
        f"{column} is a time: ISO 8601, or seconds or milliseconds since 1970",
        "write it like 2026-01-31T12:00:00Z",
        of_type=True,
    )


def one_kind_of_zone(column: str, zone: str) -> Rule:
    """Half a column with zones hints at two clocks; the rows stay, and are told."""
    readable = pl.col(column).is_not_null()
    return Rule(
        "mixed-time-zones",
        column,
        lacks_zone(raw(column)) & readable,
        f"either every {column} of a file names its zone or none does",
        f"write the zone behind each; until then those without are read as {zone}",
        outcome="report",
        only_beside=has_zone(raw(column)) & readable,
    )
