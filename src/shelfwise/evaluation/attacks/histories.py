"""Histories as chance and haste would have them: with things that never were, or that were missed.

Shape suffixes in this file: T = targets, E = events, U = owners.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.history import KINDS, NONE, History
from shelfwise.data.targets import MatchTargets
from shelfwise.schema.event import INTEREST_ORDER, EventKind

HistoryNoise = Literal["accidental clicks", "dropped events", "shuffled order"]
HISTORY_NOISES: tuple[HistoryNoise, ...] = get_args(HistoryNoise)
_REACH = 3  # places that a shuffled event moves by about


def disturbed(
    history: History,
    targets: MatchTargets,
    noise: HistoryNoise,
    share: float,
    items: int,
    seed: int,
) -> tuple[History, MatchTargets]:
    """Each target's past, disturbed, as that of an owner of its own; and the targets to match.

    Accidental clicks: for each event, with probability ``share``, one on any item before it, of the
    kind that shows least interest in this log.
    Dropped: each event goes with probability ``share``. Shuffled: of a share of events the item
    changes places with one a few events away; times stay.

    Args:
        history: as prepared.
        targets: who asks.
        noise: what is done.
        share: of the events.
        items: V, to draw from.
        seed: of the draws, the same for a target whatever stands beside it.
    """
    weakest = _weakest(history)
    begin_T = history.offset_U1[targets.owner_T]
    pieces = [
        _disturbed(
            _slice(history, int(begin), int(end)),
            noise,
            share,
            (items, weakest),
            np.random.default_rng([seed, int(owner), int(end)]),
        )
        for owner, begin, end in zip(targets.owner_T, begin_T, targets.end_T, strict=True)
    ]
    length_T = np.array([len(piece.at_E) for piece in pieces], np.int64)
    offset_U1 = np.concatenate([np.zeros(1, np.int64), length_T.cumsum()])
    joined = History(
        offset_U1,
        *(
            np.concatenate([getattr(history, name)[:0], *(getattr(p, name) for p in pieces)])
            for name in History._fields[1:]
        ),
    )
    moved = replace(
        targets, owner_T=np.arange(len(targets), dtype=np.int64), end_T=offset_U1[1:].copy()
    )
    return joined, moved


def _weakest(history: History) -> int:
    """The kind of behaviour that shows least interest, of those that the log has."""
    there = set(np.unique(history.kind_E).tolist())
    order = [KINDS.index(kind) for kind in INTEREST_ORDER]
    return next((kind for kind in order if kind in there), KINDS.index(EventKind.CLICK))


def _slice(history: History, begin: int, end: int) -> History:
    return History(
        np.array([0, end - begin]),
        *(getattr(history, name)[begin:end] for name in History._fields[1:]),
    )


def _disturbed(
    past: History,
    noise: HistoryNoise,
    share: float,
    drawn_of: tuple[int, int],
    rng: np.random.Generator,
) -> History:
    items, kind = drawn_of
    touched_E = rng.random(len(past.at_E)) < share
    match noise:
        case "dropped events":
            return _chosen(past, np.flatnonzero(~touched_E))
        case "accidental clicks":
            return _with_clicks(past, touched_E, items, kind, rng)
        case "shuffled order":
            return _shuffled(past, touched_E, rng)


def _chosen(past: History, places: NDArray[np.int64]) -> History:
    return History(
        np.array([0, len(places)]),
        *(getattr(past, name)[places] for name in History._fields[1:]),
    )


def _with_clicks(
    past: History, touched_E: NDArray[np.bool_], items: int, kind: int, rng: np.random.Generator
) -> History:
    times_E = np.where(touched_E, 2, 1)
    doubled = _chosen(past, np.repeat(np.arange(len(touched_E)), times_E))
    # The first of each pair becomes the click, at the time of the event that it stands before.
    click = np.cumsum(times_E)[touched_E] - 2
    doubled.item_E[click] = rng.integers(items, size=len(click))
    doubled.query_E[click] = NONE
    doubled.kind_E[click] = kind
    return doubled


def _shuffled(past: History, touched_E: NDArray[np.bool_], rng: np.random.Generator) -> History:
    places = np.arange(len(touched_E), dtype=np.float64)
    places[touched_E] += rng.normal(0.0, _REACH, int(touched_E.sum()))
    order = np.argsort(places, kind="stable")
    return _chosen(past, order)._replace(at_E=past.at_E)
