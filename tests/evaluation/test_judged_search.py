from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np
import polars as pl
import pytest

from shelfwise.data.judged import JUDGED
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation import judged_search as judged_search_module
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.judged_search import RANDOM, judged_search

OPTIONS = EvaluateOptions(draws=50, k=2)
# Query 3: items 0, 1, 2 of grades 3, 2, 1; query 5: items 0 and 1, of grade 1; query 4 trains.
ROWS = [(3, 0, 3.0), (3, 1, 2.0), (3, 2, 1.0), (5, 0, 1.0), (5, 1, 1.0)]


def shop_with(prepared: PreparedShop, rows: list[tuple[int, int, float]]) -> PreparedShop:
    judged = [(*row, "test") for row in rows] + [(4, 0, 1.0, "train")]
    queries = pl.DataFrame({"text": [f"word{number}" for number in range(6)]})
    items = prepared.items.head(4).with_columns(pl.lit("word3").alias("text"))
    table = pl.DataFrame(judged, schema=JUDGED, orient="row")
    return replace(prepared, items=items, queries=queries, judgements=table)


@pytest.mark.parametrize("queries", [1, 128])
def test_figures_by_hand_whatever_the_block(
    prepared_sample: PreparedShop, monkeypatch: pytest.MonkeyPatch, queries: int
) -> None:
    monkeypatch.setattr(judged_search_module, "_QUERIES", queries)
    # For query 3 item 3, which nobody judged, is first, then 1, 0, 2; for query 5 item 0, then 3.
    scores = {3: [2, 3, 1, 4], 5: [4, 1, 2, 3]}

    def search(query: np.ndarray) -> np.ndarray:
        return np.array([scores[number] for number in query.tolist()], np.float32)

    found = judged_search(shop_with(prepared_sample, ROWS), {"ours": search}, OPTIONS)

    ours = {row.metric: row for row in found.rows if row.system == "ours"}
    # Grades 2, 1, 0 gain 3, 1, 0: item 1 then item 0, of at best 3 + 1/log2(3).
    second = 1 / log2(3)
    assert ours["ndcg@2"].value == pytest.approx((1 + 3 * second) / (3 + second))
    assert ours["ndcg@2"].support == 1
    # Of the pairs (0, 1), (0, 2), (1, 2) the first is wrong.
    assert ours["pairwise_accuracy"].value == pytest.approx(2 / 3)
    # First places: 3 and 1; 0 and 3. Two have a verdict, item 0 for query 5 is wrong.
    assert ours["wrong_rate@2"].value == pytest.approx(1 / 4)
    assert ours["wrong_rate_judged@2"].value == pytest.approx(1 / 2)
    assert ours["wrong_rate_judged@2"].support == 2
    # At random every place gains (3 + 1 + 0) / 3. BM25 cannot tell items of one text apart.
    floor = 4 / 3 * (1 + second) / (3 + second)
    others = {(row.system, row.metric): row for row in found.rows if row.system != "ours"}
    assert others[RANDOM, "ndcg@2"].value == pytest.approx(floor)
    assert others["BM25 of texts", "ndcg@2"].value == pytest.approx(floor)
    assert others["BM25 of texts", "pairwise_accuracy"].value == pytest.approx(1 / 2)
    # Over all rows it does tell the queries apart: ranks 4 4 4 1.5 1.5 against 5 4 2 2 2, less
    # their mean 3: (2 + 1 - 1 + 1.5 + 1.5) / sqrt(7.5 * 8).
    assert others["BM25 of texts", "spearman"].value == pytest.approx(5 / 60**0.5)
    assert {(row.task, row.view) for row in found.rows} == {("search", "judged")}
    assert "2 judged queries of the test, 5 judgements" in found.notes[0]
    assert "with one item or one grade left out of ndcg: 1" in found.notes[0]


def test_without_judgements_nothing_is_said(prepared_sample: PreparedShop) -> None:
    assert judged_search(shop_with(prepared_sample, []), {}, OPTIONS) == ([], [])
