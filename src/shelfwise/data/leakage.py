"""The guard that refuses a prepared log in which the future can be seen.

It looks at what was *made*, not at how: whoever changes attribution or histories is told here, by
row, when an answer slipped in front of its question.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.history import History
from shelfwise.data.occasions import Occasions
from shelfwise.schema.errors import DataError

_SHOWN = 3


def refuse_leaks(history: History, occasions: Occasions, history_end_R: NDArray[np.int64]) -> None:
    """Raise one DataError naming every kind of leak found and its first rows."""
    found = [
        *_histories_from_the_future(history, occasions.requests, history_end_R),
        *_requests_in_two_parts(occasions.requests),
        *_rows_told_twice(occasions),
        *_outcomes_before_their_request(occasions),
    ]
    if found:
        raise DataError("\n".join(["leakage guard: the prepared log is refused:", *found]))


def _histories_from_the_future(
    history: History, requests: pl.DataFrame, history_end_R: NDArray[np.int64]
) -> list[str]:
    owner_R = requests["owner"].to_numpy()
    at_R = requests["at"].to_numpy()
    start_R = history.offset_U1[owner_R]
    has_past_R = history_end_R > start_R
    last_at_R = (
        history.at_E[np.where(has_past_R, history_end_R - 1, 0)] if len(history.at_E) else at_R
    )
    # Times may be equal only where the log orders by sequence within one time stamp.
    late_R = has_past_R & (last_at_R > at_R)
    outside_R = (history_end_R < start_R) | (history_end_R > history.offset_U1[owner_R + 1])
    return [
        *_say("history reaches past the request's own time", np.flatnonzero(late_R)),
        *_say("history runs into another owner's events", np.flatnonzero(outside_R)),
    ]


def _requests_in_two_parts(requests: pl.DataFrame) -> list[str]:
    straddling = (
        requests.filter(pl.col("request_id").is_not_null())
        .group_by("request_id")
        .agg(pl.col("part").n_unique().alias("parts"), pl.col("request").min())
        .filter(pl.col("parts") > 1)
    )
    return _say("a request straddles the split", straddling["request"].sort().to_numpy())


def _rows_told_twice(occasions: Occasions) -> list[str]:
    twice = occasions.impressions.filter(pl.struct("request", "item", "position").is_duplicated())
    return _say("the same impression stands twice", twice["request"].unique().to_numpy())


def _outcomes_before_their_request(occasions: Occasions) -> list[str]:
    early = occasions.impressions.filter(
        (pl.col("clicked_at") < pl.col("at")) | (pl.col("purchased_at") < pl.col("at"))
    )
    return _say("an outcome lies before its impression", early["request"].unique().to_numpy())


def _say(what: str, rows: NDArray[np.integer]) -> list[str]:
    if len(rows) == 0:
        return []
    first = ", ".join(map(str, rows[:_SHOWN]))
    return [f"  {what}: {len(rows)} requests, the first of them number {first}"]
