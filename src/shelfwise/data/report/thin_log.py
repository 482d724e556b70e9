"""A log without what the report does not count: who, what, which item, when, where."""

from __future__ import annotations

import polars as pl

from shelfwise.schema.event import EventKind

KINDS = tuple(str(kind) for kind in EventKind)


def thin_log(events: pl.LazyFrame) -> pl.LazyFrame:
    """Columns ``event, owner, item_id, at, surface`` of a shop's checked events.

    ``owner`` is a number that stands for the user or, where none is known, for the session; a
    session with one user is that user's throughout, as in `prepare`. ``at`` is in microseconds
    since 1970, null in a log that has order alone.
    """
    user, session = pl.col("user_id"), pl.col("session_id")
    owner = [user, pl.concat_str(pl.lit("session:"), session)]
    # The join is costly, and most logs know their users throughout or not at all.
    if collect(events.select((user.is_null() & session.is_not_null()).any())).item():
        session_user = (
            events.filter(session.is_not_null() & user.is_not_null())
            .group_by("session_id")
            .agg(pl.when(user.n_unique() == 1).then(user.first()).alias("session_user"))
        )
        events = events.join(session_user, on="session_id", how="left")
        owner.insert(1, pl.col("session_user"))
    return events.select(
        pl.col("event").cast(pl.Enum(KINDS)),
        pl.coalesce(owner).hash().alias("owner"),
        "item_id",
        pl.col("timestamp").dt.epoch("us").alias("at"),
        "surface",
    )


def collect(rows: pl.LazyFrame) -> pl.DataFrame:
    """The result of a query over a log that may be larger than memory."""
    return rows.collect(engine="streaming")
