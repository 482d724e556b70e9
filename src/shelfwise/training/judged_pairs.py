"""Judgements as training meets them: grades as places, and batches of whole queries.

Shape suffixes in this file: N = judged rows, B = rows of a batch, Q = queries of a batch, P = most
rows of a query.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.schema.errors import DataError


@dataclass(frozen=True, slots=True)
class JudgedPairs:
    """Every judged row: which query and item, how good, and which part it lies in."""

    query_N: NDArray[np.int64]
    item_N: NDArray[np.int64]
    grade_N: NDArray[np.float64]
    part_N: NDArray[np.str_]
    lowest: float  # of training's grades
    highest: float

    @classmethod
    def of(cls, prepared: PreparedJudgements) -> JudgedPairs:
        """All judgements of a shop.

        Raises:
            DataError: training's rows have one grade or none.
        """
        table = prepared.judgements
        part_N = table["part"].to_numpy().astype(str)
        grade_N = table["grade"].to_numpy().astype(np.float64)
        trained_N = grade_N[part_N == "train"]
        if len(np.unique(trained_N)) < 2:
            raise DataError(
                f"{prepared.folder}: the {len(trained_N):,} judgements of the training part have "
                "no two different grades, so there is nothing to tell apart; judge more queries"
            )
        return cls(
            query_N=table["query"].to_numpy().astype(np.int64),
            item_N=table["item"].to_numpy().astype(np.int64),
            grade_N=grade_N,
            part_N=part_N,
            lowest=float(trained_N.min()),
            highest=float(trained_N.max()),
        )

    def rows_of(self, part: str) -> NDArray[np.int64]:
        """Numbers of a part's rows."""
        return np.flatnonzero(self.part_N == part)

    def share_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Where grades lie between training's lowest and highest, 0 to 1."""
        place_N = (self.grade_N[rows] - self.lowest) / (self.highest - self.lowest)
        return place_N.clip(0, 1).astype(np.float32)


def query_batches(
    query_N: NDArray[np.int64], rows: NDArray[np.int64], most: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """All rows, each once: queries in a random order, as many whole ones as ``most`` rows allow.

    A query of more rows is cut, at random, into batches of its own.

    Args:
        query_N: of every row there is.
        rows: which of them, in any order.
        most: rows of a batch.
        rng: draws the order.
    """
    rows = rng.permutation(rows)
    rows = rows[np.argsort(query_N[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(query_N[rows], prepend=-1))
    lists = np.split(rows, starts[1:])
    waiting: list[NDArray[np.int64]] = []
    count = 0
    for place in rng.permutation(len(lists)).tolist():
        for begin in range(0, len(lists[place]), most):
            piece = lists[place][begin : begin + most]
            if count + len(piece) > most:
                yield np.concatenate(waiting)
                waiting, count = [], 0
            waiting.append(piece)
            count += len(piece)
    if waiting:
        yield np.concatenate(waiting)


def places_of(
    query_B: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, int]]:
    """Where each row of a batch stands when every query is a row of a table.

    Returns:
        ``row_B``, ``place_B``, and the table's shape ``(Q, P)``.
    """
    _, row_B, count_Q = np.unique(query_B, return_inverse=True, return_counts=True)
    order = np.argsort(row_B, kind="stable")
    begin_Q = np.cumsum(count_Q) - count_Q
    place_B = np.empty(len(query_B), np.int64)
    place_B[order] = np.arange(len(query_B)) - begin_Q[row_B[order]]
    return row_B.astype(np.int64), place_B, (len(count_Q), int(count_Q.max()))
