"""The rules of a plain table of text and label."""

from __future__ import annotations

from shelfwise.data.source.rules import Rule
from shelfwise.data.source.text_rules import clean_id, clean_text, given


def pair_rules() -> tuple[Rule, ...]:
    return (given("text"), given("label"), *clean_text("text"), *clean_id("label"))
