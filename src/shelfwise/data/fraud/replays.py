"""Visitors whose pages are another's, some time later or earlier: one of the two is a copy.

Whoever replays a recorded shopper comes at a shopper's hours, in a shopper's rhythm, and wants what
a shopper wants; only nobody else ever leaves the very same gaps between pages. How often chance
makes two gaps alike depends on the clock and on how many there are, so it is counted: a match is
believed where chance makes at most one of fifty like it.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.fraud.acts import HOUR, is_kind
from shelfwise.schema.event import EventKind

PAGES: Mapping[str, pl.DataType] = {"owner": pl.Int64(), "at": pl.Int64()}

_BY_CHANCE = 0.02  # share of the believed matches that may be chance
_FEWEST_GAPS, _MOST_GAPS = 2, 6  # that must match; more than six are not asked for
_MOST_ALIKE = 8  # owners that leave one and the same gap; more are a habit or a coarse clock


def pages_of(events: pl.DataFrame) -> pl.DataFrame:
    """Columns of `PAGES`: when each owner asked for a page, each moment once.

    Where lists and searches are logged they tell; of other owners everything that they did does.
    """
    asked = is_kind(EventKind.IMPRESSION, EventKind.SEARCH)
    told = asked | ~(asked.any().over("owner") | is_kind(EventKind.RETURN))
    pages = events.filter(told).select(pl.col(name).cast(kind) for name, kind in PAGES.items())
    return pages.unique()


def replays(moments: pl.DataFrame) -> pl.DataFrame:
    """Everybody whose pages are another's, moved in time.

    Args:
        moments: `pages_of` the log; ``at`` in microseconds.

    Returns:
        ``id, replay_text``, in order of ``id``; nobody else has a row.
    """
    gaps = _gaps(moments)
    matches = _matches(gaps)
    if matches.is_empty():
        return pl.DataFrame(schema={"id": pl.UInt64, "replay_text": pl.String})
    believed = pl.concat([_several(matches, moments), _long(matches, gaps)])
    both = [
        believed.select(pl.col(one).alias("owner"), (sign * pl.col("later")).alias("later"))
        for one, sign in (("owner", 1), ("owner2", -1))
    ]
    hours = (pl.col("later").abs() / HOUR).round(1)
    text = pl.format(
        "asked for pages in the very rhythm of another, {} hours {}",
        hours,
        pl.when(pl.col("later") > 0).then(pl.lit("later")).otherwise(pl.lit("earlier")),
    )
    return (
        pl.concat(both)
        .sort("owner", "later")
        .group_by("owner", maintain_order=True)
        .agg(text.first().alias("replay_text"))
        .select(pl.col("owner").cast(pl.UInt64).alias("id"), "replay_text")
        .sort("id")
    )


def _gaps(moments: pl.DataFrame) -> pl.DataFrame:
    """``owner, at, gap``: the time since the owner's page before."""
    before = pl.col("at").shift(1).over("owner", order_by="at")
    return (
        moments.select("owner", "at")
        .sort("owner", "at")
        .with_columns((pl.col("at") - before).alias("gap"))
        .drop_nulls()
    )


def _matches(gaps: pl.DataFrame) -> pl.DataFrame:
    """``owner, owner2, later, gap``: the same gap of two owners, the first one's ``later``."""
    alike = pl.len().over("gap")
    some = gaps.filter((alike > 1) & (alike <= _MOST_ALIKE))
    return (
        some.join(some, on="gap", suffix="2")
        .filter(pl.col("owner") < pl.col("owner2"))
        .select("owner", "owner2", (pl.col("at") - pl.col("at2")).alias("later"), "gap")
    )


def _several(matches: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose gaps match several times at one distance in time.

    Where one gap matches by chance, each further page of the one falls on a page of the other with
    chance (their pages, multiplied) / (ticks of the clock in the log).
    """
    pages = moments.group_by("owner").len("pages")
    groups = (
        matches.group_by("owner", "owner2", "later")
        .len("gaps")
        .join(pages, on="owner")
        .join(pages.rename({"owner": "owner2", "pages": "pages2"}), on="owner2")
    )
    ticks = _span(moments) / _tick(moments)
    again = pl.col("pages").cast(pl.Float64) * pl.col("pages2") / ticks
    again = again.clip(upper_bound=1)
    for fewest in range(_FEWEST_GAPS, _MOST_GAPS + 1):
        found = groups.filter(pl.col("gaps") >= fewest)
        by_chance = groups.select((again ** (fewest - 1)).sum()).item()
        if by_chance <= _BY_CHANCE * len(found):
            return found.select("owner", "owner2", "later")
    return groups.clear().select("owner", "owner2", "later")


def _long(matches: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one gap that is so long that nobody shares its very length by chance.

    Gaps of an octave that have nothing to do with each other match as often as their number,
    squared and halved, over the ticks that the octave is wide.
    """
    octave = pl.col("gap").log(2).floor().cast(pl.Int32)
    tick = _tick(gaps)
    found = matches.group_by(octave.alias("octave")).len("found")
    trials = gaps.group_by(octave.alias("octave")).len("trials")
    width = (pl.lit(2.0).pow(pl.col("octave")) / tick).clip(lower_bound=1)
    by_chance = pl.col("trials").cast(pl.Float64) ** 2 / 2 / width
    sure = found.join(trials, on="octave").filter(by_chance <= _BY_CHANCE * pl.col("found"))
    return (
        matches.with_columns(octave.alias("octave"))
        .join(sure, on="octave", how="semi")
        .select("owner", "owner2", "later")
        .unique()
    )


def _span(moments: pl.DataFrame) -> float:
    first, last = moments.select(pl.col("at").min(), pl.col("at").max().alias("last")).row(0)
    return max(1.0, float(last - first))


def _tick(moments: pl.DataFrame) -> float:
    """Microseconds between two moments that the log's clock can tell apart."""
    ticks = (1, 1_000, 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000)
    return float(
        max(
            tick
            for tick in ticks
            if tick == 1 or moments.select((pl.col("at") % tick == 0).all()).item()
        )
    )
