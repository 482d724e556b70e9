"""Answers in front of their questions: histories, outcomes and matches that lie on the wrong side.

Shape suffixes in this file: R = requests.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.history import History
from shelfwise.data.leaks.alike import alike
from shelfwise.data.leaks.leak import Leak, joined, leak_of_requests
from shelfwise.data.occasions import Occasions


def leaks_in_order(
    history: History, occasions: Occasions, history_end_R: NDArray[np.int64]
) -> list[Leak]:
    """History at or after its request, outcomes before their impression, matches before theirs."""
    requests = occasions.requests
    return joined(
        leak_of_requests(what, numbers, requests)
        for what, numbers in (
            *_histories_from_the_future(history, requests, history_end_R),
            ("the same impression stands twice", _told_twice(occasions)),
            ("an outcome lies before its impression", _outcomes_too_early(occasions)),
            ("a match lies before its request", _matches_too_early(occasions)),
        )
    )


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


def _told_twice(occasions: Occasions) -> pl.Series:
    return alike(occasions.impressions, ["request", "item", "position"])["request"]


def _outcomes_too_early(occasions: Occasions) -> pl.Series:
    at = pl.col("at")
    early = (pl.col("clicked_at") < at) | (pl.col("purchased_at") < at)
    return occasions.impressions.filter(early)["request"]


def _matches_too_early(occasions: Occasions) -> pl.Series:
    asked = occasions.requests.select("request", pl.col("at").alias("asked_at"))
    matched = occasions.positives.join(asked, on="request")
    return matched.filter(pl.col("at") < pl.col("asked_at"))["request"]
