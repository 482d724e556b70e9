"""Rules that hold for text of every table: ids and what people read."""

from __future__ import annotations

import polars as pl

from shelfwise.data.source.rules import Rule

LONGEST_ID = 256
_CONTROL = r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]"


def given(column: str) -> Rule:
    """The row must say it."""
    return Rule(
        f"missing-{column.replace('_', '-')}",
        column,
        pl.col(column).is_null(),
        f"{column} must be given",
        f"fill in {column}, or remove the row",
    )


def clean_id(column: str) -> tuple[Rule, ...]:
    return (
        _no_nul(column),
        Rule(
            "control-character",
            column,
            pl.col(column).str.contains(_CONTROL),
            "an id holds no control characters",
            "remove them",
        ),
        Rule(
            "long-id",
            column,
            pl.col(column).str.len_chars() > LONGEST_ID,
            f"an id has {LONGEST_ID} characters at most",
            f"map the right column to {column}, or shorten the ids",
        ),
    )


def clean_text(column: str, longest: int | None = None) -> tuple[Rule, ...]:
    """Text that people read; control characters are taken out of it later."""
    rules = (
        _no_nul(column),
        Rule(
            "control-character",
            column,
            pl.col(column).str.contains(_CONTROL),
            f"{column} holds control characters",
            "they are taken out when the text is normalised",
            outcome="note",
        ),
    )
    if longest is None:
        return rules
    return (
        *rules,
        Rule(
            f"long-{column}",
            column,
            pl.col(column).str.len_chars() > longest,
            f"{column} has {longest:,} characters at most",
            "shorten it, or raise catalogue.max_title_length",
        ),
    )


def _no_nul(column: str) -> Rule:
    return Rule(
        "nul-byte",
        column,
        pl.col(column).str.contains("\0", literal=True),
        "text holds no NUL character",
        "remove the character",
    )
