"""Who the fraud filter takes for a machine, why, and what training does without."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.report.rate import Rate, rate

_EXAMPLES = 6


@dataclass(frozen=True, slots=True)
class FlaggedKind:
    """Flagged actors of one kind."""

    actor: str  # owner, session or ip
    flagged: int
    rows: int  # their events in training; an owner's are also those of a session and an address


@dataclass(frozen=True, slots=True)
class FlagRule:
    """One sign of a machine."""

    actor: str
    rule: str
    flagged: int  # flagged actors that show it; one can show several
    rows: int


@dataclass(frozen=True, slots=True)
class FlagExample:
    actor: str
    score: float
    rows: int
    reason: str


@dataclass(frozen=True, slots=True)
class Flagged:
    """What the filter found; what a flagged actor left stays in the data and weighs nothing."""

    kinds: tuple[FlaggedKind, ...]
    rules: tuple[FlagRule, ...]  # most actors first
    examples: tuple[FlagExample, ...]  # the surest first
    requests: Rate  # of training, that nothing is learned from


def flagged(flags: pl.DataFrame, requests: pl.DataFrame) -> Flagged:
    """Sums of what `prepare` wrote.

    Args:
        flags: ``actor, score, reason, rules, rows``, one row per flagged actor.
        requests: with ``part`` and ``fraud``, the reason why nothing is learned from one.
    """
    kinds = flags.group_by("actor").agg(pl.len(), pl.col("rows").sum().alias("events"))
    rules = (
        flags.explode("rules")
        .drop_nulls("rules")
        .group_by("actor", "rules")
        .agg(pl.len(), pl.col("rows").sum())
        .sort("len", "rows", "actor", "rules", descending=[True, True, False, False])
    )
    surest = flags.sort("score", "rows", "reason", descending=[True, True, False])
    trained = requests.filter(pl.col("part").cast(pl.String) == "train")
    return Flagged(
        tuple(FlaggedKind(*row) for row in kinds.sort("actor", descending=True).iter_rows()),
        tuple(FlagRule(*row) for row in rules.iter_rows()),
        tuple(
            FlagExample(*row)
            for row in surest.head(_EXAMPLES)
            .select("actor", "score", "rows", pl.col("reason").fill_null(""))
            .iter_rows()
        ),
        rate(trained["fraud"].count(), len(trained)),
    )
