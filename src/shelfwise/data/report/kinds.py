"""What was logged: how many events of each kind, of how many shoppers and items, and where."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.report.thin_log import KINDS, collect


@dataclass(frozen=True, slots=True)
class KindCount:
    """Events of one kind."""

    kind: str
    rows: int
    owners: int  # distinct
    items: int  # distinct; a search has none
    by_surface: dict[str, int]  # "" where the log does not say


def kind_counts(log: pl.LazyFrame) -> tuple[KindCount, ...]:
    """One entry for each kind that the log has, in the order of a shopper's way.

    Args:
        log: as `thin_log` makes it.
    """
    counted = collect(
        log.group_by("event").agg(
            pl.len().alias("rows"),
            pl.col("owner").n_unique().alias("owners"),
            pl.col("item_id").drop_nulls().n_unique().alias("items"),
        )
    )
    found = {row["event"]: row for row in counted.iter_rows(named=True)}
    placed = collect(log.group_by("event", pl.col("surface").fill_null("")).len())
    return tuple(
        KindCount(
            kind,
            found[kind]["rows"],
            found[kind]["owners"],
            found[kind]["items"],
            dict(
                placed.filter(pl.col("event") == kind)
                .sort("len", "surface", descending=[True, False])
                .select("surface", "len")
                .iter_rows()
            ),
        )
        for kind in KINDS
        if kind in found
    )
