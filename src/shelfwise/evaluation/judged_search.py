"""Search held against judges: graded lists, wrong first places, and what a random order earns.

Shape suffixes in this file: Q = judged queries of the test, V = items, N = judged (query, item)
rows, K = places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import row
from shelfwise.evaluation.report import Row
from shelfwise.evaluation.top_lists import top_items
from shelfwise.metrics.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_rows,
    bootstrap_sums,
)
from shelfwise.metrics.graded_ndcg import JudgedLists, graded_ndcg_at_k
from shelfwise.metrics.pairwise_accuracy import pairs_by_query
from shelfwise.metrics.spearman import SortedSpearman
from shelfwise.metrics.value import ratio
from shelfwise.metrics.wrong_rate import wrong_places
from shelfwise.retrieval.text_index import TextIndex

TASK = "search"
VIEW = "judged"  # a metric, a system and the view main are the match's
RANDOM = "random order"
WORDS = "BM25 of texts"
_ROW_DRAWS = 200
_QUERIES = 128  # scored at a time

Search = Callable[[NDArray[np.int64]], NDArray[np.float32]]  # query numbers to [Q, V] scores


class JudgedSearch(NamedTuple):
    rows: list[Row]
    notes: list[str]


def judged_search(
    prepared: PreparedShop, search: Mapping[str, Search], options: EvaluateOptions
) -> JudgedSearch:
    """Every system on the judged queries of the test, typed by a stranger; BM25 beside them.

    Grades are shifted so that the lowest one found is 0, "irrelevant". Graded figures order the
    judged items of a query alone; the wrong rate looks at the first places of the whole catalogue.
    """
    table = prepared.judgements.unique(["query", "item"], keep="first", maintain_order=True)
    judged = table.filter(pl.col("part") == "test")
    if judged.is_empty():
        return JudgedSearch([], [])
    query_Q, place_N = np.unique(judged["query"].to_numpy(), return_inverse=True)
    lowest = float(table["grade"].min())  # type: ignore[arg-type]
    rated = _Rated(place_N, judged["item"].to_numpy(), judged["grade"].to_numpy() - lowest)
    rows = []
    lists: JudgedLists | None = None
    for system, score in {**search, WORDS: _words(prepared)}.items():
        score_N, top_QK = _scored(score, query_Q, rated, options.k)
        lists = graded_ndcg_at_k(score_N, rated.grade_N, rated.query_N, options.k)
        rows += _rows(system, lists, rated, score_N, options)
        rows += _wrong_rows(system, top_QK, rated, options)
    assert lists is not None
    floor = _mean(lists.random_Q, options)
    rows.append(row(RANDOM, TASK, f"ndcg@{options.k}", floor, VIEW))
    return JudgedSearch(
        rows,
        [
            f"Search: {len(query_Q):,} judged queries of the test, {len(judged):,} judgements, "
            "asked without a history; queries with one item or one grade left out of ndcg: "
            f"{lists.left_out:,}. A random order earns {floor.value:.3f}; wrong is the lowest "
            "grade.",
        ],
    )


class _Rated(NamedTuple):
    query_N: NDArray[np.int64]  # place of the query
    item_N: NDArray[np.int64]
    grade_N: NDArray[np.float64]


def _scored(
    score: Search, query_Q: NDArray[np.int64], rated: _Rated, k: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Scores of the judged rows, and each query's first places, some queries at a time."""
    score_N, top = np.empty(len(rated.query_N), np.float32), []
    none = np.empty(0, np.int64)
    for start in range(0, len(query_Q), _QUERIES):
        score_BV = score(query_Q[start : start + _QUERIES])
        inside_N = (rated.query_N >= start) & (rated.query_N < start + _QUERIES)
        place_N = rated.query_N[inside_N] - start
        score_N[inside_N] = score_BV[place_N, rated.item_N[inside_N]]
        top.append(top_items(score_BV, k, none, none))
    return score_N, np.concatenate(top)


def _words(prepared: PreparedShop) -> Search:
    index = TextIndex(prepared.items["text"].to_list())
    texts = prepared.queries["text"]
    return lambda query_Q: np.stack([index.scores(texts[int(query)]) for query in query_Q])


def _rows(
    system: str,
    lists: JudgedLists,
    rated: _Rated,
    score_N: NDArray[np.float32],
    options: EvaluateOptions,
) -> list[Row]:
    pairs = pairs_by_query(score_N, rated.grade_N, rated.query_N)
    figures = {
        f"ndcg@{options.k}": _mean(lists.ndcg_Q, options),
        "pairwise_accuracy": _mean(pairs.value_Q, options),
        "spearman": bootstrap_rows(
            SortedSpearman.of(score_N, rated.grade_N),
            rated.query_N,
            draws=min(options.draws, _ROW_DRAWS),
            seed=options.seed,
        ),
    }
    return [row(system, TASK, name, found, VIEW) for name, found in figures.items()]


def _wrong_rows(
    system: str, top_QK: NDArray[np.int32], rated: _Rated, options: EvaluateOptions
) -> list[Row]:
    places = wrong_places(top_QK, rated.query_N, rated.item_N, rated.grade_N == 0)
    rows = []
    for name, whole_Q, value in (
        ("wrong_rate", places.places_T, places.of_all()),
        ("wrong_rate_judged", places.judged_T, places.of_judged()),
    ):
        drawn = bootstrap_sums(
            lambda sums: ratio(sums[:, 0], sums[:, 1]),
            np.stack([places.wrong_T, whole_Q], axis=1),
            np.arange(len(whole_Q)),
            draws=options.draws,
            seed=options.seed,
        )
        ends = (drawn.low, drawn.high) if value.support else (np.nan, np.nan)
        found = Interval(value.value, *ends, value.support)
        rows.append(row(system, TASK, f"{name}@{options.k}", found, VIEW))
    return rows


def _mean(value_Q: NDArray[np.float64], options: EvaluateOptions) -> Interval:
    return bootstrap_interval(value_Q, draws=options.draws, seed=options.seed)
