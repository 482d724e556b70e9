"""Which behaviour is counted in anybody's statistics, and for whom.

Nothing of a flagged actor is: a robot's clicks would make its items look loved. Where the split is
not by time, answers of the test lie between those of training, so only training's rows are counted
and nothing that names a held-out item or query.

Shape suffixes in this file: E = events, N = impressions, R = requests, V = items, Q = queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.config import SplitOptions
from shelfwise.data.held_out import held_out_parts
from shelfwise.data.history import KINDS, History
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Moments
from shelfwise.schema.event import EventKind

# What is counted. The first three are of lists that were shown, each at the moment it happened;
# the others of all behaviour that enters histories.
BEHAVIOURS = ("shown", "clicked", "bought", "searched", "looked", "wanted", "taken")
KINDS_OF: Mapping[str, tuple[EventKind, ...]] = {
    "searched": (EventKind.SEARCH,),
    "looked": (EventKind.VIEW, EventKind.CLICK),
    "wanted": (EventKind.FAVOURITE, EventKind.CART),
    "taken": (EventKind.PURCHASE,),
}
TIMES_OF = {"shown": "at", "clicked": "clicked_at", "bought": "purchased_at"}


class Log(NamedTuple):
    """What statistics are made from."""

    history: History
    requests: pl.DataFrame  # owner, at, query (-1: none), part, fraud, history_end
    impressions: pl.DataFrame  # request, item, at, clicked_at, purchased_at
    items: pl.DataFrame  # item_id, category
    queries: pl.DataFrame  # text
    fraud: pl.DataFrame  # actor, id: who is flagged
    moments: Moments
    split: SplitOptions

    @classmethod
    def of(cls, prepared: PreparedShop) -> Log:
        return cls(
            prepared.history,
            prepared.requests,
            prepared.impressions,
            prepared.items,
            prepared.queries,
            prepared.fraud,
            prepared.moments,
            prepared.options.split,
        )

    @property
    def owners(self) -> int:
        """How many there are."""
        return len(self.history.offset_U1) - 1


class Acts(NamedTuple):
    """Events of one kind: by whom, on which item, for which query (-1: none), and when."""

    owner_E: NDArray[np.integer[Any]]
    item_E: NDArray[np.integer[Any]]
    query_E: NDArray[np.integer[Any]]
    at_E: NDArray[np.int64]


def counted(log: Log) -> dict[str, Acts]:
    """Of each of `BEHAVIOURS`, the events that count."""
    history, kept_E = log.history, _kept_events(log)
    owner_E = np.repeat(np.arange(log.owners, dtype=np.int32), np.diff(history.offset_U1))
    found = _of_lists(log)
    for name, kinds in KINDS_OF.items():
        of_kind_E = kept_E & np.isin(history.kind_E, [KINDS.index(kind) for kind in kinds])
        found[name] = Acts(
            owner_E[of_kind_E],
            history.item_E[of_kind_E],
            history.query_E[of_kind_E],
            history.at_E[of_kind_E],
        )
    return found


def _of_lists(log: Log) -> dict[str, Acts]:
    """What was shown, and what came of it, by the request's owner and query."""
    requests = log.requests
    kept_R = requests["fraud"].is_null().to_numpy()
    if not log.split.by_time:
        kept_R = kept_R & (requests["part"] == "train").to_numpy()
    owner_R = requests["owner"].to_numpy().astype(np.int32)
    query_R = requests["query"].to_numpy().astype(np.int32)
    kept_N = kept_R[log.impressions["request"].to_numpy()]
    if log.split.kind == "cold_items":
        kept_N = kept_N & ~_held_out(log.items["item_id"])[log.impressions["item"].to_numpy()]
    found = {}
    for name, time in TIMES_OF.items():
        rows = log.impressions.select("request", "item", pl.col(time).alias("at"))
        if not kept_N.all():
            rows = rows.filter(pl.Series(kept_N, dtype=pl.Boolean))
        rows = rows.drop_nulls("at")
        request_N = rows["request"].to_numpy()
        found[name] = Acts(
            owner_R[request_N], rows["item"].to_numpy(), query_R[request_N], rows["at"].to_numpy()
        )
    return found


def _kept_events(log: Log) -> NDArray[np.bool_]:
    """``[E]`` which events of the history are counted."""
    kept_E = ~_flagged_events(log)
    if log.split.by_time:
        return kept_E
    history = log.history
    trained = log.requests.filter(pl.col("part") == "train")
    end_U = history.offset_U1[:-1].copy()
    np.maximum.at(end_U, trained["owner"].to_numpy(), trained["history_end"].to_numpy())
    kept_E &= np.arange(len(kept_E)) < np.repeat(end_U, np.diff(history.offset_U1))
    if log.split.kind == "cold_items":
        kept_E &= ~_names_one_of(history.item_E, _held_out(log.items["item_id"]))
    if log.split.kind == "cold_queries":
        kept_E &= ~_names_one_of(history.query_E, _held_out(log.queries["text"]))
    return kept_E


def _held_out(names: pl.Series) -> NDArray[np.bool_]:
    held: NDArray[np.bool_] = (held_out_parts(names) != "train").to_numpy()
    return held


def _names_one_of(number_E: NDArray[np.int32], held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.append(held, False)[number_E]  # -1 is the last: nothing named


def _flagged_events(log: Log) -> NDArray[np.bool_]:
    """``[E]`` events of flagged owners, and those that follow a request of a flagged visit.

    The history does not say which visit an event belongs to; it is taken to be that of the owner's
    last request before it, or at the same moment.
    """
    history = log.history
    owners = log.fraud.filter(pl.col("actor") == "owner")["id"].cast(pl.Int64)
    flagged_U = np.zeros(log.owners, bool)
    flagged_U[owners.to_numpy()] = True
    count_U = np.diff(history.offset_U1)
    flagged_E = np.repeat(flagged_U, count_U)
    partly_U = np.zeros(log.owners, bool)
    partly_U[log.requests.filter(pl.col("fraud").is_not_null())["owner"].to_numpy()] = True
    partly_E = np.repeat(partly_U & ~flagged_U, count_U)
    if partly_E.any():
        flagged_E[partly_E] = _after_flagged(log, partly_U, partly_E)
    return flagged_E


def _after_flagged(
    log: Log, partly_U: NDArray[np.bool_], partly_E: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    owner_E = np.repeat(np.arange(log.owners), np.diff(log.history.offset_U1))
    events = pl.DataFrame({"owner": owner_E[partly_E], "at": log.history.at_E[partly_E]})
    partly_R = partly_U[log.requests["owner"].to_numpy()]
    requests = log.requests.filter(pl.Series(partly_R)).select(
        "owner", "at", pl.col("fraud").is_not_null().alias("flagged")
    )
    found = (
        events.with_row_index("place")
        .sort("at", "place")
        .join_asof(
            requests.sort("at", maintain_order=True),
            on="at",
            by="owner",
            strategy="backward",
            check_sortedness=False,
        )
    )
    flagged: NDArray[np.bool_] = found.sort("place")["flagged"].fill_null(False).to_numpy()
    return flagged
