"""Judged pairs of query and item, a few queries of which join every step.

Shape suffixes in this file: J = judged pairs, Q = judged queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part

_QUERIES = 8  # a step: their texts are short, so that they cost little
_MOST_PAIRS = 16  # of a query in one step


class Graded(NamedTuple):
    """Pairs with their grade as a share of the best one."""

    query_J: NDArray[np.int64]  # number of the shop's query
    item_J: NDArray[np.int64]
    share_J: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.query_J)


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything judged of some parts, by query."""

    pairs: Graded  # sorted by query
    offset_Q1: NDArray[np.int64]

    def draw(self, rng: np.random.Generator) -> Graded:
        """Some queries' pairs."""
        queries = len(self.offset_Q1) - 1
        chosen = rng.choice(queries, min(_QUERIES, queries), replace=False)
        rows = [
            rng.permutation(np.arange(self.offset_Q1[q], self.offset_Q1[q + 1]))[:_MOST_PAIRS]
            for q in np.sort(chosen)
        ]
        return Graded(*(side[np.concatenate(rows)] for side in self.pairs))


def judged_of(prepared: PreparedShop, parts: Sequence[Part]) -> Judged | None:
    """What was judged of the queries of ``parts``; None where that is nothing, or all alike.

    The share is of the range of all grades that ``parts`` hold. A pair that was judged several
    times stands as often.
    """
    rows = prepared.judgements.filter(pl.col("part").is_in(list(parts))).sort("query", "item")
    grade_J = rows["grade"].to_numpy()
    if len(rows) == 0 or grade_J.min() == grade_J.max():
        return None
    lowest, highest = grade_scale(prepared, parts)
    share_J = ((grade_J - lowest) / (highest - lowest)).astype(np.float32)
    query_J, item_J = (np.array(rows[name].to_numpy()) for name in ("query", "item"))
    _, counts = np.unique(query_J, return_counts=True)
    offset_Q1 = np.concatenate([[0], counts.cumsum()]).astype(np.int64)
    return Judged(Graded(query_J, item_J, share_J), offset_Q1)


def grade_scale(prepared: PreparedShop, parts: Sequence[Part]) -> tuple[float, float]:
    """The lowest and the highest grade of ``parts``."""
    grade_J = prepared.judgements.filter(pl.col("part").is_in(list(parts)))["grade"].to_numpy()
    return float(grade_J.min()), float(grade_J.max())
