"""Who the fraud filter takes for a machine, and why."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class FlaggedKind:
    """Actors of one kind."""

    actor: str  # owner, session or ip
    judged: int  # did enough to be judged
    flagged: int
    rows: int  # events of those flagged


@dataclass(frozen=True, slots=True)
class FlagRule:
    """One sign of a machine."""

    rule: str
    actors: int  # flagged actors that show it; one can show several
    rows: int


@dataclass(frozen=True, slots=True)
class FlagExample:
    actor: str
    score: float
    rows: int
    reason: str


@dataclass(frozen=True, slots=True)
class Flagged:
    """What the filter found; flagged rows stay in the data with weight 0."""

    kinds: tuple[FlaggedKind, ...]
    rules: tuple[FlagRule, ...]  # most actors first
    examples: tuple[FlagExample, ...]  # the surest first


def flagged(flags: pl.DataFrame) -> Flagged:
    """Sums of the flags that `prepare` wrote.

    Args:
        flags: ``actor, score, flagged, reason, rules, rows``, one row per judged actor.
    """
    kinds = (
        flags.group_by("actor")
        .agg(
            pl.len().alias("judged"),
            pl.col("flagged").sum(),
            pl.col("rows").filter("flagged").sum(),
        )
        .sort("actor", descending=True)
    )
    guilty = flags.filter("flagged")
    rules = (
        guilty.explode("rules")
        .drop_nulls("rules")
        .group_by("rules")
        .agg(pl.len().alias("actors"), pl.col("rows").sum())
        .sort("actors", "rules", descending=[True, False])
    )
    surest = guilty.sort("score", "rows", "reason", descending=[True, True, False])
    return Flagged(
        tuple(FlaggedKind(*row) for row in kinds.iter_rows()),
        tuple(FlagRule(*row) for row in rules.iter_rows()),
        tuple(
            FlagExample(*row)
            for row in surest.head(_EXAMPLES)
            .select("actor", "score", "rows", pl.col("reason").fill_null(""))
            .iter_rows()
        ),
    )
