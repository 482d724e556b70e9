"""Judged pairs of query and title, and the queries that each fold tests.

Shape suffixes: N = judged rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.shops import Shop
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import Prepared, PreparedPairs
from shelfwise.data.text import query_text
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress

_RANKED = "train_old"  # QBQTC's file with queries that have enough titles to rank
_ALSO_TRAINS = "dev"
FIFTHS = 5


class Judged(NamedTuple):
    """How well titles answer queries."""

    prepared: Prepared
    rows: pl.DataFrame  # query, title, grade; trains_only: part of no fold
    folds: int  # 1: the last fifth of the queries is the test; 5: each fifth is in turn


class Fold(NamedTuple):
    """Rows of the judged table, by number."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def judged_of(shop: Shop, out: Path, progress: Progress) -> Judged:
    """The judgements of a shop, as text.

    Raises:
        DataError: it has none.
    """
    prepared = prepare(shop.folder, out, shop.config(), progress)
    if isinstance(prepared, PreparedPairs) or len(prepared.judgements) == 0:
        raise DataError(f"{shop.folder}: has no judgements of items for queries")
    published = shop.folder / "judgements.parquet"
    if shop.published and "published_part" in pl.read_parquet_schema(published):
        return Judged(prepared, _of_files(pl.read_parquet(published)), FIFTHS)
    rows = prepared.judgements.select(
        prepared.queries["text"].gather(prepared.judgements["query"]).alias("query"),
        prepared.items["text"].gather(prepared.judgements["item"]).alias("title"),
        "grade",
        pl.lit(False).alias("trains_only"),
    )
    return Judged(prepared, rows, 1)


def _of_files(judgements: pl.DataFrame) -> pl.DataFrame:
    """QBQTC: folds are made of train_old; dev trains, less the queries that it shares."""
    rows = judgements.with_columns(
        pl.Series("query", [query_text(text) for text in judgements["query"]])
    )
    ranked = rows.filter(pl.col("published_part") == _RANKED)
    more = rows.filter(
        (pl.col("published_part") == _ALSO_TRAINS)
        & ~pl.col("query").is_in(ranked["query"].unique().implode())
    )
    return pl.concat([ranked, more]).select(
        "query", "title", "grade", (pl.col("published_part") != _RANKED).alias("trains_only")
    )


def folds_of(judged: Judged) -> Iterator[Fold]:
    """Query-disjoint parts: queries in order of sha256; train, then validation, then the test.

    The first fold has the first 70 %, the next 10 % and the last 20 %; in the others an earlier
    fifth is the test, and what follows it in the circle is trained on first.
    """
    apart = judged.rows["trains_only"].to_numpy()
    query_N = judged.rows["query"].to_numpy()
    order = sorted(set(query_N[~apart]), key=lambda text: hashlib.sha256(text.encode()).digest())
    count = len(order)
    place = {query: number for number, query in enumerate(order)}
    place_N = np.array([place.get(query, -1) for query in query_N])
    for fifth in range(FIFTHS - 1, FIFTHS - 1 - judged.folds, -1):
        begin, end = count * fifth // FIFTHS, count * (fifth + 1) // FIFTHS
        turn_N = (place_N - end) % count  # 0: the first query after the test
        tested_N = ~apart & (place_N >= begin) & (place_N < end)
        trained_N = apart | (~tested_N & (turn_N < count * 7 // 10))
        rest_N = ~tested_N & ~trained_N
        yield Fold(*(np.flatnonzero(kept_N) for kept_N in (trained_N, rest_N, tested_N)))
