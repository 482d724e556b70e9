"""When each part of the split starts, what lies in it, and what shopping came of what was shown."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.split import moment_text

_PARTS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class PartRows:
    """One part of the split."""

    part: str
    first: str  # its first request, 2026-01-31 08:00, UTC
    last: str
    requests: int
    owners: int
    impressions: int
    clicked: int
    purchased: int
    positives: int  # items to be found by match


def part_rows(
    requests: pl.DataFrame, impressions: pl.DataFrame, positives: pl.DataFrame
) -> tuple[PartRows, ...]:
    """One entry a part that has requests; the tables are those of a prepared folder."""
    part = pl.col("part").cast(pl.String)
    numbered = requests.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("request"), part, "at", "owner"
    )
    asked = numbered.group_by("part").agg(
        pl.len().alias("requests"),
        pl.col("at").min().alias("first"),
        pl.col("at").max().alias("last"),
        pl.col("owner").n_unique().alias("owners"),
    )
    names = numbered.select("request", "part")
    shown = (
        impressions.select(pl.col("request").cast(pl.Int64), "clicked_at", "purchased_at")
        .join(names, on="request")
        .group_by("part")
        .agg(
            pl.len().alias("impressions"),
            pl.col("clicked_at").count().alias("clicked"),
            pl.col("purchased_at").count().alias("purchased"),
        )
    )
    taken = (
        positives.select(pl.col("request").cast(pl.Int64))
        .join(names, on="request")
        .group_by("part")
        .agg(pl.len().alias("positives"))
    )
    counted = asked.join(shown, on="part", how="left").join(taken, on="part", how="left")
    found = {row["part"]: row for row in counted.fill_null(0).iter_rows(named=True)}
    return tuple(
        PartRows(
            name,
            moment_text(found[name]["first"]),
            moment_text(found[name]["last"]),
            *(
                found[name][column]
                for column in (
                    "requests",
                    "owners",
                    "impressions",
                    "clicked",
                    "purchased",
                    "positives",
                )
            ),
        )
        for name in _PARTS
        if name in found
    )
