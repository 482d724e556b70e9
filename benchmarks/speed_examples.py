"""Rows of query, title and yes or no, that every system of the speed contest learns from.

Shape suffixes: N = rows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.shops import Shop
from shelfwise.data.batches import examples_of
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedJudgements, PreparedPairs, PreparedShop
from shelfwise.data.split import Part
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress
from shelfwise.training.judged_pairs import JudgedPairs

_RELEVANT = 4 / 9  # of the way from the lowest to the highest grade: Home Depot's 2.33 of 1 to 3


class SpeedExamples(NamedTuple):
    """The same rows for everybody: whole queries, drawn once."""

    prepared: PreparedShop | PreparedJudgements  # with the texts that are asked for, and no others
    pairs: JudgedPairs  # grades are 0 and 1
    rounds: list[NDArray[np.int64]]  # training rows by round
    test: NDArray[np.int64]
    label: str  # what a yes means

    @property
    def train(self) -> NDArray[np.int64]:
        """Training rows of all rounds."""
        return np.concatenate(self.rounds)

    def texts(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """Queries and titles of some rows."""
        queries = self.prepared.queries["text"].gather(self.pairs.query_N[rows])
        items = self.prepared.items["text"].gather(self.pairs.item_N[rows])
        return queries.to_list(), items.to_list()


class Size(NamedTuple):
    """How much of the data is used."""

    train: int  # at least so many rows, if there are
    test: int
    rounds: int
    seed: int


def speed_examples(shop: Shop, out: Path, size: Size, progress: Progress) -> SpeedExamples:
    """Judged pairs where there are judgements alone, else searches with what was clicked.

    Raises:
        DataError: the shop has neither.
    """
    prepared = prepare(shop.folder, out, shop.config(), progress)
    if isinstance(prepared, PreparedPairs):
        raise DataError(f"{shop.folder}: has no queries and items")
    if isinstance(prepared, PreparedJudgements):
        rows, label = _judged(prepared), "relevant"
    else:
        rows, label = _searched(prepared), "clicked"
    if not rows["yes"].any():
        raise DataError(f"{shop.folder}: has no search after which an item was {label}")
    train = _drawn(rows.filter(pl.col("part") == "train"), size.train, size.seed)
    test = _drawn(rows.filter(pl.col("part") == "test"), size.test, size.seed)
    return _narrowed(prepared, pl.concat([train, test]), size.rounds, label)


def _judged(prepared: PreparedJudgements) -> pl.DataFrame:
    grade = pl.col("grade")
    share = (grade - grade.min()) / (grade.max() - grade.min())
    return prepared.judgements.select(
        pl.col("query", "item").cast(pl.Int64), "part", (share >= _RELEVANT).alias("yes")
    )


def _searched(prepared: PreparedShop) -> pl.DataFrame:
    parts: tuple[Part, ...] = ("train", "test")
    found = []
    for part in parts:
        examples = examples_of(prepared, [part])
        times_R = np.diff(examples.shown_offset_R1)
        found.append(
            pl.DataFrame(
                {
                    "query": np.repeat(examples.query_R, times_R),
                    "item": examples.shown_item_N,
                    "part": [part] * len(examples.shown_item_N),
                    "yes": examples.clicked_N,
                },
                schema_overrides={"query": pl.Int64, "item": pl.Int64},
            )
        )
    return pl.concat(found).filter(pl.col("query") >= 0)


def _drawn(rows: pl.DataFrame, least: int, seed: int) -> pl.DataFrame:
    """Whole queries in a random order, until there are ``least`` rows."""
    queries = rows["query"].unique(maintain_order=True).shuffle(seed)
    sizes = queries.to_frame().join(
        rows.group_by("query").len(), on="query", how="left", maintain_order="left"
    )
    before = sizes["len"].cum_sum() - sizes["len"]
    kept = sizes.filter(before < least).select("query").with_row_index("turn")
    return rows.join(kept, on="query", maintain_order="left").sort("turn", maintain_order=True)


def _narrowed(
    prepared: PreparedShop | PreparedJudgements, rows: pl.DataFrame, rounds: int, label: str
) -> SpeedExamples:
    """Numbers that begin at 0 again, for the texts that are left."""
    query_Q, query_N = np.unique(rows["query"].to_numpy(), return_inverse=True)
    item_V, item_N = np.unique(rows["item"].to_numpy(), return_inverse=True)
    part_N = rows["part"].to_numpy().astype(str)
    pairs = JudgedPairs(
        query_N=query_N.astype(np.int64),
        item_N=item_N.astype(np.int64),
        grade_N=rows["yes"].to_numpy().astype(np.float64),
        part_N=part_N,
        lowest=0.0,
        highest=1.0,
    )
    few = replace(prepared, queries=prepared.queries[query_Q], items=prepared.items[item_V])
    train = np.flatnonzero(part_N == "train")
    return SpeedExamples(
        few, pairs, np.array_split(train, rounds), np.flatnonzero(part_N == "test"), label
    )
