from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from training.judged_shop import judged_shop, options_of

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.evaluate import evaluate
from shelfwise.evaluation.relevance import measure_judged
from shelfwise.metrics.quadratic_kappa import quadratic_kappa
from shelfwise.metrics.spearman import spearman
from shelfwise.ranking.loaded_relevance import LoadedRelevance
from shelfwise.retrieval.word_figures import WORD_FIGURES, WordFigures
from shelfwise.schema.errors import DataError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.progress import Silent
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

OPTIONS = EvaluateOptions(draws=50)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedJudgements:
    return judged_shop(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def run(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    train(shop, out, options_of(tiny_encoder, "bi_encoder"), TrainOptions(epochs=1, threads=1))
    return out


def test_every_system_has_every_figure(run: Path) -> None:
    report = evaluate(run, OPTIONS)

    assert report.tasks == ["relevance"]
    assert report.data.counts["judgements"] == {"train": 112, "validation": 16, "test": 32}
    systems = {row.system for row in report.rows if row.metric == "rmse"}
    assert systems == {"shelfwise", "BM25 of texts", "frozen encoder cosine"}
    for metric in ("ndcg@10", "pairwise_accuracy", "spearman", "rmse", "kappa"):
        for system in systems:
            found = report.row(metric, system)
            assert found is not None
            assert found.low <= found.value <= found.high
    # Gains 3, 1, 0, 0 in any order: in the mean 1 at each of four places.
    floor = report.row("ndcg@10", "random order")
    assert floor is not None
    places = (1 / np.log2([2, 3, 4, 5])).sum()
    assert floor.value == pytest.approx(places / (3 + 1 / np.log2(3)))
    assert {(gap.a, gap.metric) for gap in report.differences} == {
        ("shelfwise", "ndcg@10"),
        ("shelfwise", "pairwise_accuracy"),
    }
    assert "32 judgements of 8 queries" in report.notes[0]


def test_the_figures_are_those_of_the_grades_themselves(
    shop: PreparedJudgements, run: Path
) -> None:
    manifest = open_sealed(run, "run")
    found = measure_judged(run, manifest, shop, OPTIONS, Silent())
    test = shop.judgements.filter(pl.col("part") == "test")
    query, item, true = (test[name].to_numpy() for name in ("query", "item", "grade"))
    queries = shop.queries["text"].to_list()

    grade = LoadedRelevance(run, manifest).grades(queries, query, item)

    values = {row.metric: row.value for row in found.rows if row.system == "shelfwise"}
    assert values["rmse"] == pytest.approx(np.sqrt(np.square(grade - true).mean()))
    assert values["spearman"] == pytest.approx(spearman(grade, true).value)
    kappa = quadratic_kappa(np.rint(grade).astype(int), true.astype(int))
    assert values["kappa"] == pytest.approx(kappa.value, nan_ok=True)


def test_a_score_becomes_a_grade_by_a_line_through_validation(
    shop: PreparedJudgements, run: Path
) -> None:
    found = measure_judged(run, open_sealed(run, "run"), shop, OPTIONS, Silent())
    figures = WordFigures(shop.items["text"].to_list())
    queries = shop.queries["text"].to_list()

    def bm25(part: str) -> tuple[np.ndarray, np.ndarray]:
        rows = shop.judgements.filter(pl.col("part") == part)
        words = figures.of(queries, rows["query"].to_numpy(), rows["item"].to_numpy())
        return words[:, WORD_FIGURES.index("bm25")], rows["grade"].to_numpy()

    slope, middle = np.polyfit(*bm25("validation"), 1)
    score, grade = bm25("test")
    expected = np.sqrt(np.square(slope * score + middle - grade).mean())
    values = {row.metric: row.value for row in found.rows if row.system == "BM25 of texts"}
    assert values["rmse"] == pytest.approx(expected)


def test_no_query_for_the_test_is_said(shop: PreparedJudgements, run: Path) -> None:
    without = replace(shop, judgements=shop.judgements.filter(pl.col("part") != "test"))

    with pytest.raises(DataError, match="no judged query in its test part"):
        measure_judged(run, open_sealed(run, "run"), without, OPTIONS, Silent())
