"""Figures of each actor's behaviour by which a machine may differ from a person.

Everything is a group_by: no loop over actors. Owners and sessions are whole within a partition by
owner, so their figures may be made partition by partition and put together. An address is not:
its figures need the whole log, which is read in slices by address, each within bounded memory;
the result does not depend on the number of slices.
"""

from __future__ import annotations

import polars as pl

from shelfwise.data.fraud.acts import DAY, HOUR, TAKEN, acts_of, is_kind
from shelfwise.data.fraud.options import ActorKind
from shelfwise.schema.event import EventKind

_ROWS_AT_ONCE = 2_000_000
_GAP_STEP = 100_000  # microseconds; gaps that differ by less are equal
_NEEDED = ("event", "owner", "item", "at")


def actor_features(
    events: pl.LazyFrame | pl.DataFrame,
    actor: ActorKind,
    *,
    category_V: pl.Series | None = None,
    timed: bool = True,
) -> pl.DataFrame:
    """One row per actor with acts or impressions, in order of ``id``.

    Args:
        events: numbered events in order of owner and time.
        actor: whose behaviour; rows where that column is null belong to nobody.
        category_V: the category's number of each item, null where unknown.
        timed: False for a log that knows order only; every figure of time is then null.

    Returns:
        ``actor`` (the kind), ``id`` and these figures, null where the log cannot tell:

        * ``rows, impressions, acts, owners, clicks, taken`` (views and clicks), ``purchases``:
          counts
        * ``active_hours``: hours of the calendar with an act; ``pace``: acts in one of them on
          average; ``most_in_hour``: acts in the busiest; acts of one moment count once
        * ``hours_in_day``: different hours of the busiest day; ``by_hour``: ``[24]`` active hours
          by hour of the day (UTC)
        * ``gaps``: gaps up to half an hour; ``gap_variation``: their standard deviation over
          their mean; ``equal_gaps``: share of the commonest, to a tenth of a second
        * ``hasty``: share of views and clicks within a second of the list, or left within one
        * ``click_through``: clicks per impression
        * ``distinct_items``: different items per view or click; ``top_item``: share of the item
          taken most; ``top_category``: share of the category taken most
    """
    log = events.lazy()
    columns = list(dict.fromkeys((*_NEEDED, actor)))
    rows = log.select(pl.len()).collect(engine="streaming").item()
    slices = max(1, -(-rows // _ROWS_AT_ONCE))
    found = []
    for number in range(slices):
        part = log.select(columns)
        if slices > 1:
            part = part.filter(pl.col(actor) % slices == number)
        found.append(_features(part.collect(engine="streaming"), actor, category_V, timed))
    return pl.concat(found).sort("id")


def _features(
    events: pl.DataFrame, actor: ActorKind, category_V: pl.Series | None, timed: bool
) -> pl.DataFrame:
    acts = acts_of(events, actor)
    seen = (
        events.filter(pl.col(actor).is_not_null())
        .group_by(pl.col(actor).alias("id"))
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            is_kind(EventKind.IMPRESSION).sum().cast(pl.Int64).alias("impressions"),
            pl.col("owner").n_unique().cast(pl.Int64).alias("owners")
            if actor == "ip"
            else pl.lit(1, pl.Int64).alias("owners"),
        )
    )
    found = seen.join(_counts(acts), on="id", how="left")
    for figures in (
        _rhythm(acts if timed else acts.clear()),
        _hours(acts if timed else acts.clear()),
        _choices(acts, category_V),
    ):
        found = found.join(figures, on="id", how="left")
    counts = ("acts", "clicks", "taken", "purchases", "gaps")
    return found.with_columns(pl.col(counts).fill_null(0)).select(
        pl.lit(actor).alias("actor"),
        pl.col("id").cast(pl.UInt64),
        pl.exclude("id", "hasty"),
        (pl.col("hasty") if timed else pl.lit(None, pl.Float64)).alias("hasty"),
        pl.when(pl.col("impressions") > 0)
        .then(pl.col("clicks") / pl.col("impressions"))
        .alias("click_through"),
    )


def _counts(acts: pl.DataFrame) -> pl.DataFrame:
    def count(*kinds: EventKind) -> pl.Expr:
        return is_kind(*kinds).sum().cast(pl.Int64)

    return acts.group_by("id").agg(
        pl.len().cast(pl.Int64).alias("acts"),
        count(EventKind.CLICK).alias("clicks"),
        count(*TAKEN).alias("taken"),
        count(EventKind.PURCHASE).alias("purchases"),
        pl.col("hasty").mean().alias("hasty"),
    )


def _rhythm(acts: pl.DataFrame) -> pl.DataFrame:
    """How even the gaps are; a metronome has variation 0 and one gap only."""
    gaps = acts.filter(pl.col("gap").is_not_null())
    commonest = (
        gaps.group_by("id", pl.col("gap") // _GAP_STEP)
        .len()
        .group_by("id")
        .agg((pl.col("len").max() / pl.col("len").sum()).alias("equal_gaps"))
    )
    variation = gaps.group_by("id").agg(
        pl.len().cast(pl.Int64).alias("gaps"),
        (pl.col("gap").std() / pl.col("gap").mean()).alias("gap_variation"),
    )
    return variation.join(commonest, on="id")


def _hours(acts: pl.DataFrame) -> pl.DataFrame:
    """How much is done in an hour, and how much of the clock is covered."""
    hours = (
        acts.filter(pl.col("later"))
        .group_by("id", (pl.col("at") // HOUR).alias("hour"))
        .agg(pl.len().cast(pl.Int64).alias("acts"))
    )
    of_day = pl.col("hour") % (DAY // HOUR)
    days = hours.group_by("id", pl.col("hour") // (DAY // HOUR)).len()
    return (
        hours.group_by("id")
        .agg(
            pl.len().cast(pl.Int64).alias("active_hours"),
            pl.col("acts").mean().alias("pace"),
            pl.col("acts").max().alias("most_in_hour"),
            *((of_day == hour).sum().alias(f"hour {hour}") for hour in range(DAY // HOUR)),
        )
        .with_columns(
            pl.concat_list(r"^hour \d+$").list.to_array(DAY // HOUR).alias("by_hour"),
        )
        .select(pl.exclude(r"^hour \d+$"))
        .join(
            days.group_by("id").agg(pl.col("len").max().cast(pl.Int64).alias("hours_in_day")),
            on="id",
        )
    )


def _choices(acts: pl.DataFrame, category_V: pl.Series | None) -> pl.DataFrame:
    """How widely or narrowly the actor looks."""
    taken = acts.filter(is_kind(*TAKEN) & pl.col("item").is_not_null()).select("id", "item")
    items = taken.group_by("id", "item").len()
    by_item = items.group_by("id").agg(
        (pl.len() / pl.col("len").sum()).alias("distinct_items"),
        (pl.col("len").max() / pl.col("len").sum()).alias("top_item"),
    )
    if category_V is None:
        return by_item.with_columns(pl.lit(None, pl.Float64).alias("top_category"))
    by_category = (
        items.with_columns(pl.lit(category_V).gather(pl.col("item")).alias("category"))
        .filter(pl.col("category").is_not_null())
        .group_by("id", "category")
        .agg(pl.col("len").sum())
        .group_by("id")
        .agg((pl.col("len").max() / pl.col("len").sum()).alias("top_category"))
    )
    return by_item.join(by_category, on="id", how="left")
