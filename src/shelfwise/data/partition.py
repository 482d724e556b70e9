"""What some owners' behaviour comes to: their history, what they were shown, and what matched.

Owners do not look at each other, so a log is worked through group by group, on one machine or on
many, and what comes out is put together in the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import attribute
from shelfwise.data.config import DataOptions
from shelfwise.data.history import NONE, History, ends_before
from shelfwise.data.occasions import Occasions, find_occasions
from shelfwise.data.order import distinct
from shelfwise.data.visits import with_requests, with_sessions, without_repeats
from shelfwise.schema.event import EventKind


@dataclass(frozen=True, slots=True)
class Task:
    """What is the same for every group of owners."""

    options: DataOptions
    kinds: tuple[EventKind, ...]  # that count as a match
    by_sequence: bool  # the next item is asked for, not those of a period
    has_clicks: bool  # anywhere in the log
    timed: bool = True  # False: the log knows order alone


@dataclass(frozen=True, slots=True)
class Partition:
    """The work of one group of owners; numbers of owners, requests and visits are its own."""

    events: pl.DataFrame  # what is kept of the log, in order
    duplicates: pl.DataFrame  # file, why, len
    history: History
    first_owner: int  # number in the log of the group's owner 0
    requests: pl.DataFrame  # as `find_occasions`, and request_name, session, history_end
    impressions: pl.DataFrame
    positives: pl.DataFrame
    sessions: int


def work_through(rows: pl.DataFrame, task: Task) -> Partition:
    """All tables of some owners.

    Args:
        rows: every row of these owners, numbered, in any order.
        task: what is asked of every group.
    """
    options = task.options
    first = _number(rows["owner"].min())
    cleaned = distinct(rows.with_columns(pl.col("owner") - first), options.clean)
    events, repeats = without_repeats(with_requests(cleaned.rows))
    events = with_sessions(events, options.sessions, timed=task.timed)
    history, kept = _build_history(events, options)
    attributed = attribute(
        events,
        options.attribution,
        has_clicks=task.has_clicks,
        features=tuple(options.features.events),
    )
    occasions = find_occasions(events, attributed, task.kinds, task.by_sequence)
    ends_R = _history_ends(history, kept, occasions, task.by_sequence)
    return Partition(
        events=events,
        duplicates=pl.concat([cleaned.duplicates, _redrawn(repeats)]),
        history=history,
        first_owner=first,
        requests=_told(occasions, events, task).with_columns(pl.Series("history_end", ends_R)),
        impressions=occasions.impressions,
        positives=occasions.positives,
        sessions=_number(events["session"].max()) + 1,
    )


def _redrawn(repeats: pl.DataFrame) -> pl.DataFrame:
    return repeats.group_by("file").len().select("file", pl.lit("redrawn").alias("why"), "len")


def _number(value: object) -> int:
    assert isinstance(value, int), "a group has at least one row"
    return value


def _build_history(events: pl.DataFrame, options: DataOptions) -> tuple[History, pl.DataFrame]:
    """The array of all behaviour, and the events it was made from in the same order."""
    behaviours = [kind.value for kind in options.history.behaviours]
    kept = events.filter(
        pl.col("event").is_in(behaviours)
        & (pl.col("item").is_not_null() | pl.col("query").is_not_null())
    ).select("event", "owner", "item", "query", "at", "sequence")
    owners = _number(events["owner"].max()) + 1
    count_U = np.bincount(kept["owner"].to_numpy(), minlength=owners)
    history = History(
        offset_U1=np.concatenate([[0], count_U.cumsum()]).astype(np.int64),
        item_E=kept["item"].fill_null(NONE).to_numpy().astype(np.int32),
        query_E=kept["query"].fill_null(NONE).to_numpy().astype(np.int32),
        # The categories stand in the order of KINDS.
        kind_E=kept["event"].to_physical().to_numpy().astype(np.uint8),
        at_E=kept["at"].to_numpy(),
    )
    return history, kept


def _history_ends(
    history: History, kept: pl.DataFrame, occasions: Occasions, by_sequence: bool
) -> NDArray[np.int64]:
    """Where each request's history ends: before its time or, by sequence, before its own event."""
    requests = occasions.requests
    ends_R = ends_before(history, requests["owner"].to_numpy(), requests["at"].to_numpy())
    if not by_sequence:
        return ends_R
    order = ["owner", "at", "sequence"]
    first = kept.with_row_index("place").group_by(order).agg(pl.col("place").min())
    # Without a sequence (named requests have none) the order within a time stamp is not known.
    placed = requests.join(first, on=order, how="left", maintain_order="left")
    place_R = placed["place"].cast(pl.Int64).fill_null(-1).to_numpy()
    return np.where(place_R < 0, ends_R, place_R).astype(np.int64)


def _told(occasions: Occasions, events: pl.DataFrame, task: Task) -> pl.DataFrame:
    """Requests with the log's own name, their visit, and what else is known of their moment."""
    requests = occasions.requests
    features = list(task.options.features.events)
    asking = [EventKind.IMPRESSION.value, EventKind.SEARCH.value]
    shown = events.filter(pl.col("event").is_in(asking) & pl.col("request_id").is_not_null())
    of_named = shown.group_by("request_id").agg(
        pl.col("request_name", "session", "ip", *features).drop_nulls().first()
    )
    order = ["owner", "at", "sequence"] if task.by_sequence else ["owner", "at"]
    matched = events.filter(pl.col("event").is_in([kind.value for kind in task.kinds]))
    of_implied = matched.group_by(order).agg(
        pl.col("session", "ip", *features).drop_nulls().first()
    )
    named = requests.filter(pl.col("request_id").is_not_null()).join(
        of_named, on="request_id", how="left"
    )
    implied = requests.filter(pl.col("request_id").is_null()).join(
        of_implied, on=order, how="left", nulls_equal=True
    )
    return pl.concat([named, implied], how="diagonal").sort("request")
