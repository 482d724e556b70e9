"""Which rows of the log a flagged actor left."""

from __future__ import annotations

import polars as pl


def fraud_rows(events: pl.DataFrame, flags: pl.DataFrame) -> pl.Series:
    """Why each row weighs nothing; null where it is believed.

    Args:
        events: any frame with some of the columns ``owner``, ``session``, ``ip``.
        flags: of `flag`, all kinds of actor together; who is not flagged is ignored.

    Returns:
        ``[len(events)]`` text in the order of ``events``: the reason, after the kind of actor that
        is to blame. Where several are, the owner's comes before the session's and the address's.
    """
    flagged = flags.filter(pl.col("flagged"))
    reasons = []
    for (actor,), rows in flagged.group_by("actor", maintain_order=True):
        if actor in events.columns:
            reasons.append(_reasons(events[str(actor)], str(actor), rows))
    order = {"owner": 0, "session": 1, "ip": 2}
    reasons.sort(key=lambda reason: order[reason.name])
    nobody = pl.Series("fraud", [None], dtype=pl.String).new_from_index(0, len(events))
    return pl.select(pl.coalesce(*reasons, nobody).alias("fraud")).to_series()


def suspicion(events: pl.DataFrame, flags: pl.DataFrame) -> pl.Series:
    """``[len(events)]`` the highest score of those who left a row, flagged or not; 0 where nobody
    of them was judged. Arguments as for `fraud_rows`.
    """
    scores = [
        _told(events[actor], flags.filter(pl.col("actor") == actor).select("id", "score"))
        for actor in flags["actor"].unique(maintain_order=True)
        if actor in events.columns
    ]
    nobody = pl.zeros(len(events), pl.Float64, eager=True)
    highest = pl.select(pl.max_horizontal(nobody, *scores)).to_series()
    return highest.cast(pl.Float32).alias("suspicion")


def _reasons(actors: pl.Series, actor: str, flagged: pl.DataFrame) -> pl.Series:
    named = flagged.select("id", pl.format("{}: {}", pl.lit(actor), "reason").alias(actor))
    return _told(actors, named)


def _told(actors: pl.Series, told: pl.DataFrame) -> pl.Series:
    """What the second column of a table says of each actor, by the first, ``id``."""
    ids = actors.cast(pl.UInt64).to_frame("id")
    return ids.join(told, on="id", how="left", maintain_order="left").to_series(1)
