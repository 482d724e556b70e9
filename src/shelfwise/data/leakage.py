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
from shelfwise.data.split import moment_text
from shelfwise.schema.errors import DataError

_SHOWN = 3


def refuse_leaks(history: History, occasions: Occasions, history_end_R: NDArray[np.int64]) -> None:
    """Raise one DataError naming every kind of leak found and its first rows."""
    found = [
        line
        for what, rows in (
            *_histories_from_the_future(history, occasions.requests, history_end_R),
            ("a request straddles the split", _straddling(occasions.requests)),
            ("the same impression stands twice", _told_twice(occasions)),
            ("an outcome lies before its impression", _outcomes_too_early(occasions)),
            ("a match lies before its request", _matches_too_early(occasions)),
        )
        for line in _say(what, rows, occasions.requests)
    ]
    if found:
        raise DataError("\n".join(["leakage guard: the prepared log is refused:", *found]))


def _histories_from_the_future(
    history: History, requests: pl.DataFrame, history_end_R: NDArray[np.int64]
) -> list[tuple[str, pl.Series]]:
    owner_R, at_R = requests["owner"].to_numpy(), requests["at"].to_numpy()
    start_R, stop_R = history.offset_U1[owner_R], history.offset_U1[owner_R + 1]
    outside_R = (history_end_R < start_R) | (history_end_R > stop_R)
    # Times may be equal only where the log orders by sequence within one time stamp.
    latest_R = at_R - requests["sequence"].is_null().to_numpy()
    late_R = np.zeros(len(requests), dtype=bool)
    past_R = np.flatnonzero((history_end_R > start_R) & ~outside_R)
    late_R[past_R] = history.at_E[history_end_R[past_R] - 1] > latest_R[past_R]
    return [
        ("history reaches the request's own time or beyond", requests["request"].filter(late_R)),
        ("history runs into another owner's events", requests["request"].filter(outside_R)),
    ]


def _straddling(requests: pl.DataFrame) -> pl.Series:
    return (
        requests.filter(pl.col("request_id").is_not_null())
        .group_by("request_id")
        .agg(pl.col("part").n_unique().alias("parts"), pl.col("request").min())
        .filter(pl.col("parts") > 1)["request"]
    )


def _told_twice(occasions: Occasions) -> pl.Series:
    same = pl.struct("request", "item", "position")
    return occasions.impressions.filter(same.is_duplicated())["request"]


def _outcomes_too_early(occasions: Occasions) -> pl.Series:
    at = pl.col("at")
    early = (pl.col("clicked_at") < at) | (pl.col("purchased_at") < at)
    return occasions.impressions.filter(early)["request"]


def _matches_too_early(occasions: Occasions) -> pl.Series:
    asked = occasions.requests.select("request", pl.col("at").alias("asked_at"))
    matched = occasions.positives.join(asked, on="request")
    return matched.filter(pl.col("at") < pl.col("asked_at"))["request"]


def _say(what: str, numbers: pl.Series, requests: pl.DataFrame) -> list[str]:
    numbers = numbers.unique().sort()
    if numbers.is_empty():
        return []
    named = requests.filter(pl.col("request").is_in(numbers.head(_SHOWN).implode()))
    first = "; ".join(
        f"number {number} at {moment_text(at)}" + (f", request_id {name}" if name else "")
        for number, at, name in named.select("request", "at", "request_id").iter_rows()
    )
    return [f"  {what}: requests {len(numbers):,}, first: {first}"]
