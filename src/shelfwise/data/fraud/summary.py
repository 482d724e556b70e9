"""What the fraud filter took out of training, for the report: who, why, and how much of the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl


class FraudSummary(NamedTuple):
    """Counts of what is flagged; shares are of all rows of the log."""

    rows: int
    flagged_rows: int
    actors: pl.DataFrame  # actor, judged, flagged
    rules: pl.DataFrame  # actor, rule, flagged (actors), rows (of those actors); commonest first
    kinds: pl.DataFrame  # event, rows, flagged, share

    @property
    def share(self) -> float:
        """Share of the log's rows that weigh nothing; nan for a log without rows."""
        return self.flagged_rows / self.rows if self.rows else float("nan")


def flagged_by_kind(events: pl.DataFrame, reasons: pl.Series) -> pl.DataFrame:
    """Rows and flagged rows of each event kind in one partition: ``event, rows, flagged``.

    Args:
        events: with the column ``event``.
        reasons: of `fraud_rows`, one per event.
    """
    return (
        events.select(pl.col("event").cast(pl.String))
        .with_columns(reasons.is_not_null().alias("hit"))
        .group_by("event")
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            pl.col("hit").sum().cast(pl.Int64).alias("flagged"),
        )
        .sort("event")
    )


def summary(flags: pl.DataFrame, kinds: Iterable[pl.DataFrame]) -> FraudSummary:
    """Put together what the flags and the partitions' counts say.

    Args:
        flags: of `flag`, all kinds of actor together.
        kinds: of `flagged_by_kind`, one per partition.
    """
    by_kind = (
        pl.concat(kinds)
        .group_by("event")
        .agg(pl.col("rows", "flagged").sum())
        .with_columns((pl.col("flagged") / pl.col("rows")).alias("share"))
        .sort("event")
    )
    actors = flags.group_by("actor", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("judged"),
        pl.col("flagged").sum().cast(pl.Int64),
    )
    rules = (
        flags.filter(pl.col("flagged"))
        .explode("rules")
        .group_by("actor", pl.col("rules").alias("rule"))
        .agg(pl.len().cast(pl.Int64).alias("flagged"), pl.col("rows").sum())
        .sort("flagged", "actor", "rule", descending=[True, False, False])
    )
    return FraudSummary(
        rows=int(by_kind["rows"].sum()),
        flagged_rows=int(by_kind["flagged"].sum()),
        actors=actors,
        rules=rules,
        kinds=by_kind,
    )
