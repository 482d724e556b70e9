"""What actors did on purpose, act by act, and how long they took over each.

An impression happens *to* somebody and a return weeks after the visit; everything else is an act.
All intervals are between acts of one owner on behalf of one actor, so that two shoppers behind one
address do not look like one hasty shopper.
"""

from __future__ import annotations

import polars as pl

from shelfwise.data.fraud.options import ActorKind
from shelfwise.schema.event import EventKind

SECOND = 1_000_000  # microseconds
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

TAKEN = (EventKind.VIEW, EventKind.CLICK)
_PASSIVE = (EventKind.IMPRESSION, EventKind.RETURN)
_HASTY = SECOND  # nobody reads a title, or a page, in less
_PAUSE = 30 * MINUTE  # a longer gap is an absence, which says nothing about the hand


def acts_of(events: pl.DataFrame, actor: ActorKind) -> pl.DataFrame:
    """Every act with its intervals.

    Args:
        events: numbered events in order of owner and time, at least ``event, owner, item, at`` and
            the column ``actor`` names; rows without an actor are left out.
        actor: the column that says on whose behalf.

    Returns:
        ``id, owner, event, item, at`` in the order of ``events`` within ``id``, and

        * ``later`` whether the act came later than the owner's act before (False within an
          invoice whose lines share a time stamp),
        * ``gap`` microseconds since the owner's act before, null over a pause of half an hour,
        * ``hasty`` whether a view or click came within a second of the impression, or was left
          within a second; null where neither can be told.
    """
    known = events.select(pl.col(actor).alias("id"), "owner", "event", "item", "at")
    if actor != "owner":
        known = known.filter(pl.col("id").is_not_null())
    if actor == "ip":
        known = known.sort("id", "owner", maintain_order=True)
    acts = (
        known.with_columns(_run().alias("run"))
        .with_columns(_since_impression().alias("wait"))
        .filter(~pl.col("event").is_in(_names(_PASSIVE)))
    )
    before = pl.col("at") - pl.when(_same_run(1)).then(pl.col("at").shift(1))
    dwell = pl.when(_same_run(-1)).then(pl.col("at").shift(-1)) - pl.col("at")
    # Two events of one moment: the clock is too coarse to say how long the page was looked at.
    dwell = pl.when(dwell > 0).then(dwell)
    hasty = pl.min_horizontal("wait", dwell) < _HASTY
    return acts.select(
        "id",
        "owner",
        "event",
        "item",
        "at",
        (before.fill_null(1) > 0).alias("later"),
        pl.when(before.is_between(1, _PAUSE)).then(before).alias("gap"),
        pl.when(pl.col("event").is_in(_names(TAKEN))).then(hasty).alias("hasty"),
    )


def is_kind(*kinds: EventKind) -> pl.Expr:
    """Whether the event is one of these."""
    return pl.col("event").is_in(_names(kinds))


def _names(kinds: tuple[EventKind, ...]) -> list[str]:
    return [kind.value for kind in kinds]


def _run() -> pl.Expr:
    """Number of the stretch of rows that one owner left on behalf of one actor."""
    changes = [pl.col(name) != pl.col(name).shift(1) for name in ("id", "owner")]
    return pl.any_horizontal(changes).fill_null(False).cum_sum()


def _same_run(rows: int) -> pl.Expr:
    return pl.col("run") == pl.col("run").shift(rows)


def _since_impression() -> pl.Expr:
    """Time since the owner last saw a list; null before the first."""
    shown = is_kind(EventKind.IMPRESSION)
    shown_at = pl.when(shown).then(pl.col("at")).forward_fill()
    shown_run = pl.when(shown).then(pl.col("run")).forward_fill()
    return pl.when(shown_run == pl.col("run")).then(pl.col("at") - shown_at)
