"""The groups of owners put together again: one history, and requests numbered through the log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from shelfwise.data.history import History
from shelfwise.data.order import packed_keys
from shelfwise.data.partition import Partition


@dataclass(frozen=True, slots=True)
class WholeLog:
    """What all owners did, were shown and took; row r of ``requests`` is request r."""

    history: History
    requests: pl.DataFrame  # request, request_id, owner, at, sequence, query, surface, session, ...
    impressions: pl.DataFrame  # request, item, position, propensity, at, and times of outcomes
    positives: pl.DataFrame  # request, item, kind, at
    sessions: int


class LogBuilder:
    """Takes one group after the other, in the order of their owners, and keeps what stays."""

    def __init__(self) -> None:
        self._histories: list[History] = []
        self._requests: list[pl.DataFrame] = []
        self._impressions: list[pl.DataFrame] = []
        self._positives: list[pl.DataFrame] = []
        self._events = 0
        self._asked = 0
        self.owners = 0
        self.sessions = 0

    def add(self, part: Partition) -> None:
        """Numbers of owners, visits and events go on from the group before."""
        assert part.first_owner == self.owners, "groups come in the order of their owners"
        self._requests.append(
            part.requests.with_columns(
                (pl.col("request").cast(pl.Int64) + self._asked),
                pl.col("owner") + self.owners,
                pl.col("session") + self.sessions,
                pl.col("history_end") + self._events,
                pl.col("surface").cast(pl.String),
            )
        )
        self._impressions.append(_moved(part.impressions, self._asked))
        self._positives.append(_moved(part.positives, self._asked))
        self._histories.append(part.history)
        self._events += len(part.history.at_E)
        self._asked += part.requests.height
        self.owners += len(part.history.offset_U1) - 1
        self.sessions += part.sessions

    def finish(self, owner_names: pl.Series) -> WholeLog:
        """Number requests by time, then owner, then place in the log, and all rows with them."""
        requests = (
            pl.concat(self._requests)
            .with_columns(_public_ids(owner_names))
            .sort("at", "owner", "sequence", "request_id", nulls_last=True)
        )
        self._requests = []
        number_R = np.empty(requests.height, np.uint32)
        number_R[requests["request"].to_numpy()] = np.arange(requests.height, dtype=np.uint32)
        impressions = _renumbered(
            self._impressions, number_R, ["request", "position", "item", "at"]
        )
        self._impressions = []
        positives = _renumbered(self._positives, number_R, ["request", "item", "kind"])
        self._positives = []
        return WholeLog(
            history=_joined(self._histories),
            requests=requests.with_columns(
                pl.int_range(pl.len(), dtype=pl.UInt32).alias("request")
            ),
            impressions=impressions,
            positives=positives.with_columns(pl.col("kind").cast(pl.String)),
            sessions=self.sessions,
        )


def _moved(rows: pl.DataFrame, requests: int) -> pl.DataFrame:
    return rows.with_columns(
        (pl.col("request").cast(pl.Int64) + requests).cast(pl.UInt32),
        pl.col("item").cast(pl.UInt32),
    )


def _renumbered(
    parts: list[pl.DataFrame],
    number_R: np.ndarray[tuple[int], np.dtype[np.uint32]],
    order: list[str],
) -> pl.DataFrame:
    rows = pl.concat(parts)
    parts.clear()
    rows = rows.with_columns(pl.Series("request", number_R[rows["request"].to_numpy()]))
    # Rows that are alike in these stand as their group has them: by all that they say.
    keys = packed_keys(rows, order)
    return rows[keys.select(pl.arg_sort_by(keys.columns, maintain_order=True)).to_series()]


def _public_ids(owner_names: pl.Series) -> pl.Expr:
    """The log's own request ids; where owners share one, all are told apart by owner.

    A list that the log did not name has an id made of its owner and moment.
    """
    name = pl.col("request_name")
    owner = pl.lit(owner_names).gather(pl.col("owner"))
    shared = (name.is_not_null() & (pl.len().over(name) > 1)).any()
    unnamed = pl.concat_str(
        pl.lit("unnamed:"),
        owner,
        pl.col("at"),
        "surface",
        pl.col("query").fill_null(-1),
        separator="/",
    )
    return (
        pl.when(name.is_not_null() & shared)
        .then(pl.concat_str(owner, pl.lit("/"), name))
        .when(name.is_not_null())
        .then(name)
        .when(pl.col("request_id").is_not_null())
        .then(unnamed)
        .alias("request_id")
    )


def _joined(histories: list[History]) -> History:
    lengths = [np.diff(history.offset_U1) for history in histories]
    offsets = np.concatenate([[0], np.concatenate(lengths).cumsum()]).astype(np.int64)
    return History(
        offsets,
        np.concatenate([history.item_E for history in histories]),
        np.concatenate([history.query_E for history in histories]),
        np.concatenate([history.kind_E for history in histories]),
        np.concatenate([history.at_E for history in histories]),
    )
