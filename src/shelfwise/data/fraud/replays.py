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

PAGES: Mapping[str, pl.DataType] = {"owner": pl.Int32(), "at": pl.Int64()}
# Of clocks: a millisecond, a second, a minute, an hour, a day.
_TICKS = (1_000, 1_000_000, 60_000_000, HOUR, 24 * HOUR)

_BY_CHANCE = 0.02  # share of the believed matches that may be chance
_LUCK = 2  # matches of a kind that are no evidence, however unlikely
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
    believed = pl.concat([_several(matches, gaps), _long(matches, gaps)])
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
    """``owner, at, gap, tick, octave, chance``: the time since the owner's page before.

    ``tick`` is the coarsest clock that both pages may have been told by: one log may come from
    several. ``chance``: that another gap of its octave and clock is as long to the tick; twice what
    an even spread gives.
    """
    before = pl.col("at").shift(1).over("owner", order_by="at")
    gaps = (
        moments.select("owner", "at")
        .sort("owner", "at")
        .with_columns((pl.col("at") - before).alias("gap"))
        .drop_nulls()
    )
    tick = pl.lit(1, pl.Int64)
    for length in _TICKS:
        told = (pl.col("at") % length == 0) & (pl.col("gap") % length == 0)
        tick = pl.when(told).then(length).otherwise(tick)
    octave = pl.col("gap").log(2).floor()
    width = (pl.lit(2.0).pow(octave) / tick).clip(lower_bound=1)
    return gaps.with_columns(
        tick.alias("tick"),
        octave.cast(pl.Int32).alias("octave"),
        (2 / width).clip(upper_bound=1).alias("chance"),
    )


def _matches(gaps: pl.DataFrame) -> pl.DataFrame:
    """``owner, owner2, later, tick, octave``: equal gaps of two owners, the first's ``later``."""
    owners = pl.col("owner").n_unique().over("gap")
    some = gaps.filter((owners > 1) & (owners <= _MOST_ALIKE))
    return (
        some.join(some.select("owner", "at", "gap"), on="gap", suffix="2")
        .filter(pl.col("owner") < pl.col("owner2"))
        .select("owner", "owner2", (pl.col("at") - pl.col("at2")).alias("later"), "tick", "octave")
    )


def _several(matches: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose gaps match several times at one distance in time.

    Where one gap matches by chance, the gap before or after it does with twice a gap's chance, and
    so on; gaps that are further off would have to lie at that distance as well.
    """
    groups = matches.group_by("owner", "owner2", "later").len("gaps")
    again = min(1.0, 2 * float(gaps.select(pl.col("chance").mean()).item()))
    for fewest in range(_FEWEST_GAPS, _MOST_GAPS + 1):
        found = groups.filter(pl.col("gaps") >= fewest)
        if len(groups) * again ** (fewest - 1) <= _BY_CHANCE * (len(found) - _LUCK):
            return found.select("owner", "owner2", "later")
    return groups.clear().select("owner", "owner2", "later")


def _long(matches: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """Pairs with one gap that is so long that nobody shares its very length by chance.

    Gaps of one octave and clock that have nothing to do with each other match as often as their
    number, squared and halved, times the chance that two do.
    """
    of = ["octave", "tick"]
    found = matches.group_by(of).len("found")
    trials = gaps.group_by(of).agg(pl.len().alias("trials"), pl.col("chance").first())
    by_chance = pl.col("trials").cast(pl.Float64) ** 2 / 2 * pl.col("chance")
    sure = found.join(trials, on=of).filter(
        by_chance <= _BY_CHANCE * (pl.col("found").cast(pl.Float64) - _LUCK)
    )
    return matches.join(sure, on=of, how="semi").select("owner", "owner2", "later").unique()
