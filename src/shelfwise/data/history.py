"""Everything an owner did, once, in order; and the part of it that a request may look at.

An owner is a user or, where the log knows no user, a session. The events of all owners lie in one
array, sorted by owner and time; an owner is a slice of it and a point-in-time history is a slice
of that slice, so no history is ever copied per row.

Shape suffixes in this file: E = events of all owners, U = owners, R = requests, L = history length,
P = length of the longer past, K = places reserved, G = requests still looked at, B = events of a
block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.config import HistoryOptions
from shelfwise.schema.event import EventKind

KINDS = tuple(EventKind)  # an event's kind is stored as its place in this tuple
NONE = -1  # an item or query that an event does not have
_PURCHASE = KINDS.index(EventKind.PURCHASE)
_BLOCK = 128  # events looked at together when older purchases are sought


class History(NamedTuple):
    """All behaviour, sorted by owner, then time, then the log's own order."""

    offset_U1: NDArray[np.int64]  # events of owner u: offset[u] to offset[u + 1]
    item_E: NDArray[np.int32]
    query_E: NDArray[np.int32]
    kind_E: NDArray[np.uint8]
    at_E: NDArray[np.int64]  # microseconds since 1970


class Met(NamedTuple):
    """Items met before each request, over a longer past than the network reads word by word."""

    item_RP: NDArray[np.int32]  # -1: padding, or an event without an item
    kind_RP: NDArray[np.uint8]
    age_RP: NDArray[np.float32]  # hours


class HistoryWindow(NamedTuple):
    """The last events before each request, newest last, padded on the left."""

    item_RL: NDArray[np.int32]
    query_RL: NDArray[np.int32]
    kind_RL: NDArray[np.uint8]
    age_RL: NDArray[np.float32]  # hours between the event and the request
    valid_RL: NDArray[np.bool_]  # False on padding
    met: Met | None = None  # None: nothing was met before these events


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
    options: HistoryOptions,
) -> HistoryWindow:
    """The ``max_length`` events of each slice ``[start, end)`` of the event array that count most.

    Which they are, and in which order, says `window_places`. ``L`` is the longest history found, at
    most ``max_length`` and at least 1. What was met is told of ``repeat_length`` events, if that
    reaches further back.
    """
    place_RL = window_places(
        history.kind_E, start_R, end_R, options.max_length, options.purchase_reserve
    )
    valid_RL = place_RL >= 0
    if len(history.at_E) == 0:
        history = _one_blank_event(history)
    item_RL, kind_RL, age_RL = _told(history, place_RL, at_R)
    query_RL = history.query_E[np.where(valid_RL, place_RL, 0)]
    return HistoryWindow(
        item_RL=item_RL,
        query_RL=np.where(valid_RL, query_RL, NONE).astype(np.int32),
        kind_RL=kind_RL,
        age_RL=age_RL,
        valid_RL=valid_RL,
        met=_met(history, (start_R, end_R), at_R, options),
    )


def _told(
    history: History, place_RL: NDArray[np.int64], at_R: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.float32]]:
    """Item, kind and age of the events at the given places; -1, 0 and 0 where there is none."""
    valid_RL = place_RL >= 0
    safe_RL = np.where(valid_RL, place_RL, 0)
    age_RL = (at_R[:, None] - history.at_E[safe_RL]) / 3.6e9
    return (
        np.where(valid_RL, history.item_E[safe_RL], NONE).astype(np.int32),
        np.where(valid_RL, history.kind_E[safe_RL], 0).astype(np.uint8),
        np.where(valid_RL, age_RL, 0).astype(np.float32),
    )


def _met(
    history: History,
    bounds: tuple[NDArray[np.int64], NDArray[np.int64]],
    at_R: NDArray[np.int64],
    options: HistoryOptions,
) -> Met | None:
    start_R, end_R = bounds
    if int((end_R - start_R).max(initial=0)) <= options.max_length:
        return None
    most = max(options.repeat_length, options.max_length)
    place_RP = window_places(history.kind_E, start_R, end_R, most)
    return Met(*_told(history, place_RP, at_R))


def window_places(
    kind_E: NDArray[np.uint8],
    start_R: NDArray[np.int64],
    end_R: NDArray[np.int64],
    max_length: int,
    reserve: int = 0,
) -> NDArray[np.int64]:
    """``[R, L]`` places of the events a request looks at, in order, padded with -1 on the left.

    These are the last ``max_length``, but ``reserve`` of the places are kept for the latest
    purchases among older events, so that a burst of clicks does not push out all that was ever
    bought. Where there are fewer such purchases, the places left go to the latest other events.
    """
    length_R = np.minimum(end_R - start_R, max_length)
    longest = max(int(length_R.max(initial=0)), 1)
    place_RL = end_R[:, None] - longest + np.arange(longest)[None, :]
    place_RL = np.where(place_RL >= (end_R - length_R)[:, None], place_RL, -1)
    too_long = np.flatnonzero(end_R - start_R > max_length)
    if reserve and len(too_long):
        bounds = (start_R[too_long], end_R[too_long])
        place_RL[too_long] = _with_reserve(kind_E, *bounds, max_length, reserve)
    return place_RL


def _with_reserve(
    kind_E: NDArray[np.uint8],
    start_R: NDArray[np.int64],
    end_R: NDArray[np.int64],
    max_length: int,
    reserve: int,
) -> NDArray[np.int64]:
    """The same for slices longer than ``max_length``: each row is full."""
    recent_R = end_R - (max_length - reserve)
    kept_RK = _last_purchases(kind_E, start_R, recent_R, reserve)
    missing_R = (kept_RK < 0).sum(axis=1)
    # Where purchases are missing, all older ones are kept, so each purchase before ``recent`` is
    # among them; elsewhere nothing is filled up.
    place_RL = end_R[:, None] - max_length + np.arange(max_length)[None, :]
    older_RL = place_RL < recent_R[:, None]
    other_RL = older_RL & (kind_E[place_RL] != _PURCHASE)
    newer_RL = other_RL[:, ::-1].cumsum(axis=1)[:, ::-1]  # others from here on
    fills_RL = other_RL & (newer_RL <= missing_R[:, None])
    place_RL = np.where(~older_RL | fills_RL, place_RL, -1)
    return np.sort(np.concatenate([kept_RK, place_RL], axis=1), axis=1)[:, -max_length:]


def _last_purchases(
    kind_E: NDArray[np.uint8], start_R: NDArray[np.int64], end_R: NDArray[np.int64], most: int
) -> NDArray[np.int64]:
    """``[R, most]`` places of the last purchases of each slice, -1 where there are fewer.

    Slices are walked backwards a block at a time, until enough is found or they end.
    """
    found_RK = np.full((len(end_R), most), -1, np.int64)
    count_R = np.zeros(len(end_R), np.int64)
    stop_R = end_R.copy()
    going = np.flatnonzero(stop_R > start_R)
    while len(going):
        place_GB = stop_R[going, None] - np.arange(1, _BLOCK + 1)[None, :]  # newest first
        hit_GB = place_GB >= start_R[going, None]
        hit_GB &= kind_E[np.maximum(place_GB, 0)] == _PURCHASE
        column_GB = count_R[going, None] + hit_GB.cumsum(axis=1) - 1
        row, block = np.nonzero(hit_GB & (column_GB < most))
        found_RK[going[row], column_GB[row, block]] = place_GB[row, block]
        count_R[going] += hit_GB.sum(axis=1)
        stop_R[going] -= _BLOCK
        going = going[(count_R[going] < most) & (stop_R[going] > start_R[going])]
    return found_RK


def _one_blank_event(history: History) -> History:
    return History(
        history.offset_U1,
        np.full(1, NONE, np.int32),
        np.full(1, NONE, np.int32),
        np.zeros(1, np.uint8),
        np.zeros(1, np.int64),
    )
