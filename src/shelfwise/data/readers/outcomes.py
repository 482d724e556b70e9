"""Published rows that say at once what was shown and what came of it, taken apart into events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from shelfwise.schema.event import EventKind


def events_of(told: Mapping[EventKind, pl.DataFrame], order: Sequence[str]) -> pl.DataFrame:
    """One log of rows told by kind; what came of a row stands right behind it.

    Args:
        told: kind of event -> its rows, each with the published ``line``. An outcome's rows carry
            what ties them to what was shown, and not its features again.
        order: columns that order the log before ``line`` does.

    Returns:
        Column ``event``, then those of the first kind's rows without ``line``, then what only
        others have, null where a kind lacks it.
    """
    kinds = list(EventKind)
    events = pl.concat(
        [
            rows.select(
                pl.lit(kind.value).alias("event"), pl.all(), pl.lit(kinds.index(kind)).alias("step")
            )
            for kind, rows in told.items()
        ],
        how="diagonal",
    )
    return events.sort(*order, "line", "step").drop("line", "step")
