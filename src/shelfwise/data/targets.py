"""What a ranking of the whole catalogue is judged by: who asks, when, and what proved right.

`period`: one request for each owner at the start of the part; right is every item they take in it.
`next`: one request before each behaviour of the part that has a past; right is that one item.

Shape suffixes in this file: T = targets (requests judged), P = (target, right item) pairs, S =
(target, item met before) pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.history import HistoryWindow, window
from shelfwise.data.part_rows import believed, taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part


@dataclass(frozen=True, slots=True)
class MatchTargets:
    """Requests over the whole catalogue and their right answers."""

    owner_T: NDArray[np.int64]
    at_T: NDArray[np.int64]  # microseconds; the request's own moment
    end_T: NDArray[np.int64]  # where its history ends
    query_T: NDArray[np.int64]  # -1: nothing typed
    right_target_P: NDArray[np.int64]
    right_item_P: NDArray[np.int64]
    seen_target_S: NDArray[np.int64]
    seen_item_S: NDArray[np.int64]  # items the owner took before the request

    def __len__(self) -> int:
        return len(self.owner_T)

    def chosen(self, rows: NDArray[np.int64]) -> MatchTargets:
        """The targets of ``rows`` (sorted) alone, renumbered."""
        right, right_row = _pairs_of(self.right_target_P, rows)
        seen, seen_row = _pairs_of(self.seen_target_S, rows)
        return MatchTargets(
            owner_T=self.owner_T[rows],
            at_T=self.at_T[rows],
            end_T=self.end_T[rows],
            query_T=self.query_T[rows],
            right_target_P=right_row,
            right_item_P=self.right_item_P[right],
            seen_target_S=seen_row,
            seen_item_S=self.seen_item_S[seen],
        )


def _pairs_of(
    target_P: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the pairs whose target is among ``rows``, and each pair's row."""
    place_P = np.searchsorted(rows, target_P)
    # Past the last row stands a number that no target has.
    inside = np.flatnonzero(np.append(rows, -1)[place_P] == target_P)
    return inside, place_P[inside].astype(np.int64)


def past_of(
    prepared: PreparedShop, targets: MatchTargets, rows: NDArray[np.int64]
) -> HistoryWindow:
    """What each chosen target may look at: the history before its own moment."""
    return window(
        prepared.history,
        prepared.history.offset_U1[targets.owner_T[rows]],
        targets.end_T[rows],
        targets.at_T[rows],
        prepared.options.history,
    )


def match_targets(prepared: PreparedShop, part: Part, *, doubted: bool = True) -> MatchTargets:
    """The targets of a part, by the protocol that shop.toml names in ``match.target``.

    ``doubted``: those of suspected fraud as well.
    """
    if prepared.options.match.target == "next":
        taken = taken_of_parts(prepared, [part])
        asked = taken if doubted else believed(taken)
        return _next_targets(prepared, taken_with_owner(prepared, asked))
    # Only a split by time has a period: no other passes the check of the options.
    known = prepared.positives if doubted else believed(prepared.positives)
    taken = taken_with_owner(prepared, known)
    asked_U = prepared.asked_U.get(part)
    if asked_U is not None:
        taken = taken.filter(pl.Series(asked_U[taken["owner"].to_numpy()], dtype=pl.Boolean))
    start, end = prepared.moments.start_of(part), prepared.moments.end_of(part)
    return period_targets(prepared, taken, start, end)


def search_targets(prepared: PreparedShop, part: Part, *, doubted: bool = True) -> MatchTargets:
    """One request before each search of a part that led to something; right is what was taken.

    ``doubted``: those of suspected fraud as well.
    """
    asked = taken_of_parts(prepared, [part])
    taken = taken_with_owner(prepared, asked if doubted else believed(asked))
    return _next_targets(prepared, taken.filter(pl.col("query") >= 0))


def taken_with_owner(prepared: PreparedShop, positives: pl.DataFrame) -> pl.DataFrame:
    """Positives with their request's owner, time and history: a row a (request, item, kind)."""
    requests = prepared.requests.with_row_index("request").with_columns(
        pl.col("request").cast(pl.Int64)
    )
    return positives.with_columns(
        pl.col("request").cast(pl.Int64), pl.col("item").cast(pl.Int64)
    ).join(
        requests.select("request", "owner", "query", "history_end", pl.col("at").alias("asked_at")),
        on="request",
    )


def period_targets(
    prepared: PreparedShop, taken: pl.DataFrame, start: int, end: int
) -> MatchTargets:
    """One request at ``start`` for each owner who took something before and in ``[start, end)``.

    ``taken`` is as `taken_with_owner` returns it; right is all that an owner took by ``end``.
    """
    before = taken.filter(pl.col("at") < start)
    inside = taken.filter((pl.col("at") >= start) & (pl.col("at") < end))
    owners = (
        inside.select("owner")
        .unique()
        .join(before.select("owner").unique(), on="owner")
        .sort("owner")
        .with_columns(pl.int_range(pl.len()).alias("target"))
    )
    right = inside.select("owner", "item").unique().join(owners, on="owner").sort("target", "item")
    seen = before.select("owner", "item").unique().join(owners, on="owner").sort("target", "item")
    owner_T = owners["owner"].to_numpy()
    return MatchTargets(
        owner_T=owner_T,
        at_T=np.full(len(owner_T), start, np.int64),
        end_T=_past_ends(prepared, owner_T, start),
        query_T=np.full(len(owner_T), -1, np.int64),
        right_target_P=right["target"].to_numpy(),
        right_item_P=right["item"].to_numpy(),
        seen_target_S=seen["target"].to_numpy(),
        seen_item_S=seen["item"].to_numpy(),
    )


def asked_later(prepared: PreparedShop, targets: MatchTargets, at: int) -> MatchTargets:
    """The owners of ``targets`` with all that they did before ``at``; nothing is right."""
    return asked_at(prepared, np.unique(targets.owner_T), at)


def asked_at(prepared: PreparedShop, owner_T: NDArray[np.int64], at: int) -> MatchTargets:
    """One request at ``at`` for each of ``owner_T``, all different; nothing is right."""
    place_U = np.full(len(prepared.owners), -1, np.int64)
    place_U[owner_T] = np.arange(len(owner_T))
    taken = taken_with_owner(prepared, prepared.positives).filter(pl.col("at") < at)
    place_M, item_M = place_U[taken["owner"].to_numpy()], taken["item"].to_numpy()
    seen = np.unique(np.stack([place_M, item_M], 1)[place_M >= 0], axis=0)
    nothing = np.zeros(0, np.int64)
    return MatchTargets(
        owner_T=owner_T,
        at_T=np.full(len(owner_T), at, np.int64),
        end_T=_past_ends(prepared, owner_T, at),
        query_T=np.full(len(owner_T), -1, np.int64),
        right_target_P=nothing,
        right_item_P=nothing,
        seen_target_S=seen[:, 0],
        seen_item_S=seen[:, 1],
    )


def _past_ends(prepared: PreparedShop, owner_T: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    """Where the histories of owners end that hold what came before ``at``."""
    history = prepared.history
    # Events of an owner are sorted by time, so the past is a prefix of the slice.
    past_E1 = np.concatenate([[0], (history.at_E < at).cumsum()])
    begin_T, stop_T = history.offset_U1[owner_T], history.offset_U1[owner_T + 1]
    return np.asarray(begin_T + past_E1[stop_T] - past_E1[begin_T])


def _next_targets(prepared: PreparedShop, taken: pl.DataFrame) -> MatchTargets:
    begins = pl.DataFrame({"begin": prepared.history.offset_U1[:-1]}).with_row_index("owner")
    inside = (
        taken.join(begins.with_columns(pl.col("owner").cast(pl.Int64)), on="owner")
        .filter(pl.col("history_end") > pl.col("begin"))
        .unique(["request", "item"])
    )
    asked = (
        inside.select("request", "owner", "asked_at", "history_end", "query", "begin")
        .unique()
        .sort("request")
        .with_columns(pl.int_range(pl.len()).alias("target"))
    )
    right = inside.join(asked.select("request", "target"), on="request").sort("target", "item")
    seen_target_S, seen_item_S = _items_in_history(prepared, asked)
    return MatchTargets(
        owner_T=asked["owner"].to_numpy(),
        at_T=asked["asked_at"].to_numpy(),
        end_T=asked["history_end"].to_numpy(),
        query_T=asked["query"].to_numpy(),
        right_target_P=right["target"].to_numpy(),
        right_item_P=right["item"].to_numpy(),
        seen_target_S=seen_target_S,
        seen_item_S=seen_item_S,
    )


def _items_in_history(
    prepared: PreparedShop, asked: pl.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    begin_T, end_T = asked["begin"].to_numpy(), asked["history_end"].to_numpy()
    length_T = end_T - begin_T
    target_S = np.repeat(np.arange(len(asked)), length_T)
    first_S = np.repeat(length_T.cumsum() - length_T, length_T)
    item_S = prepared.history.item_E[begin_T[target_S] + np.arange(len(target_S)) - first_S]
    pairs = np.unique(np.stack([target_S, item_S.astype(np.int64)], axis=1)[item_S >= 0], axis=0)
    return pairs[:, 0], pairs[:, 1]
