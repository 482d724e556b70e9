"""Everything an owner did, once, in order; and the part of it that a request may look at.

An owner is a user or, where the log knows no user, a session. The events of all owners lie in one
array, sorted by owner and time; an owner is a slice of it and a point-in-time history is a slice
of that slice, so no history is ever copied per row.

Shape suffixes in this file: E = events of all owners, U = owners, R = requests, L = history length.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.schema.event import EventKind

KINDS = tuple(EventKind)  # an event's kind is stored as its place in this tuple
NONE = -1  # an item or query that an event does not have


class History(NamedTuple):
    """All behaviour, sorted by owner, then time, then the log's own order."""

    offset_U1: NDArray[np.int64]  # events of owner u: offset[u] to offset[u + 1]
    item_E: NDArray[np.int32]
    query_E: NDArray[np.int32]
    kind_E: NDArray[np.uint8]
    at_E: NDArray[np.int64]  # microseconds since 1970


class HistoryWindow(NamedTuple):
    """The last events before each request, newest last, padded on the left."""

    item_RL: NDArray[np.int32]
    query_RL: NDArray[np.int32]
    kind_RL: NDArray[np.uint8]
    age_RL: NDArray[np.float32]  # hours between the event and the request
    valid_RL: NDArray[np.bool_]  # False on padding


def ends_before(
    history: History, owner_R: NDArray[np.int64], at_R: NDArray[np.int64]
) -> NDArray[np.int64]:
    """``[R]`` where each request's history ends in the event array: strictly before ``at``."""
    times = np.unique(history.at_E)
    stride = len(times) + 1
    owner_E = np.repeat(np.arange(len(history.offset_U1) - 1), np.diff(history.offset_U1))
    key_E = owner_E * stride + np.searchsorted(times, history.at_E)
    found: NDArray[np.int64] = np.searchsorted(
        key_E, owner_R * stride + np.searchsorted(times, at_R, side="left"), side="left"
    )
    return found


def window(
    history: History,
    start_R: NDArray[np.int64],
    end_R: NDArray[np.int64],
    at_R: NDArray[np.int64],
    max_length: int,
) -> HistoryWindow:
    """The last ``max_length`` events of each slice ``[start, end)`` of the event array.

    ``L`` is the longest history found, at most ``max_length`` and at least 1.
    """
    length_R = np.minimum(end_R - start_R, max_length)
    longest = max(int(length_R.max(initial=0)), 1)
    place_RL = end_R[:, None] - longest + np.arange(longest)[None, :]
    valid_RL = place_RL >= (end_R - length_R)[:, None]
    if len(history.at_E) == 0:
        place_RL = np.zeros_like(place_RL)
        history = _one_blank_event(history)
    safe_RL = np.where(valid_RL, place_RL, 0)
    age_RL = (at_R[:, None] - history.at_E[safe_RL]) / 3.6e9
    return HistoryWindow(
        item_RL=np.where(valid_RL, history.item_E[safe_RL], NONE).astype(np.int32),
        query_RL=np.where(valid_RL, history.query_E[safe_RL], NONE).astype(np.int32),
        kind_RL=np.where(valid_RL, history.kind_E[safe_RL], 0).astype(np.uint8),
        age_RL=np.where(valid_RL, age_RL, 0).astype(np.float32),
        valid_RL=valid_RL,
    )


def _one_blank_event(history: History) -> History:
    return History(
        history.offset_U1,
        np.full(1, NONE, np.int32),
        np.full(1, NONE, np.int32),
        np.zeros(1, np.uint8),
        np.zeros(1, np.int64),
    )
