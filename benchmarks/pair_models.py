"""What learns the grade of a pair of query and title: on hand features, and from the text itself.

Shape suffixes: N = judged rows, F = figures, T = rows of a fold's test, C = grades.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.judged import Fold, Judged
from shelfwise.config import ShopConfig
from shelfwise.data.judged import JUDGED
from shelfwise.data.prepared import PreparedJudgements, PreparedPairs
from shelfwise.metrics.graded_ndcg import graded_ndcg_at_k
from shelfwise.schema.progress import Progress

PAIRS = "shelfwise/pairs"
# Systems, and what is set for them.
GRADERS = {
    "shelfwise/bi-encoder": ("model.relevance.kind=bi_encoder",),
    "shelfwise/cross-encoder": ("model.relevance.kind=cross_encoder",),
}
# The bi-encoder less a part, or with another loss.
ABLATED = {
    f"shelfwise/bi-encoder-{name}": (*GRADERS["shelfwise/bi-encoder"], *settings)
    for name, settings in {
        "no-words": ("model.relevance.words=false",),
        "and-list-net": ("train.relevance.list_net_weight=1",),
        "and-lambda-loss": ("train.relevance.lambda_weight=0.2",),
        "lambda-loss-alone": ("train.relevance.grade_weight=0", "train.relevance.lambda_weight=1"),
    }.items()
}
_MOST_GRADES = 10  # of more, thirds are told apart: the mean of three judges
_K = 10

Predict = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def ridge(
    figure_NF: NDArray[np.float64], rows: pl.DataFrame, fold: Fold
) -> tuple[NDArray[np.float64], Mapping[str, Any]]:
    """Grades by linear regression; validation chooses its penalty."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def models() -> Iterator[tuple[Mapping[str, Any], Any]]:
        for alpha in (0.1, 10.0, 1_000.0):
            yield {"alpha": alpha}, make_pipeline(StandardScaler(), Ridge(alpha=alpha))

    return _best(models(), figure_NF, rows, fold)


def boosted_trees(
    figure_NF: NDArray[np.float64], rows: pl.DataFrame, fold: Fold
) -> tuple[NDArray[np.float64], Mapping[str, Any]]:
    """Grades by gradient-boosted trees; validation chooses their size, number and rate."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def models() -> Iterator[tuple[Mapping[str, Any], Any]]:
        for leaves, trees, rate in ((8, 200, 0.05), (31, 100, 0.1), (31, 300, 0.05)):
            told = {"max_leaf_nodes": leaves, "max_iter": trees, "learning_rate": rate}
            yield told, HistGradientBoostingRegressor(**told, early_stopping=False, random_state=0)

    return _best(models(), figure_NF, rows, fold)


def _best(
    models: Iterator[tuple[Mapping[str, Any], Any]],
    figure_NF: NDArray[np.float64],
    rows: pl.DataFrame,
    fold: Fold,
) -> tuple[NDArray[np.float64], Mapping[str, Any]]:
    """The test's grades by the setting with the highest nDCG@10 on validation."""
    grade_N = rows["grade"].to_numpy()
    query_N = rows["query"].to_numpy().astype(str)
    judged, chosen = fold.validation, None
    for settings, model in models:
        model.fit(figure_NF[fold.train], grade_N[fold.train])
        score = model.predict(figure_NF[judged])
        lists = graded_ndcg_at_k(score, grade_N[judged], query_N[judged], _K)
        known = ~np.isnan(lists.ndcg_Q)
        value = float(lists.ndcg_Q[known].mean()) if known.any() else -1.0
        if chosen is None or value > chosen[0]:
            chosen = (value, settings, model)
    assert chosen is not None
    value, settings, model = chosen
    grade_T: NDArray[np.float64] = model.predict(figure_NF[fold.test])
    return grade_T, {"settings": settings, "validation": {f"ndcg@{_K}": value}}


def grader_of_texts(
    judged: Judged, fold: Fold, config: ShopConfig, scratch: Path, progress: Progress
) -> tuple[NDArray[np.float64], Mapping[str, Any]]:
    """Our training of a shop that has judgements alone, on the parts of a fold.

    Query and title are read apart or together, as the options say; validation stops it.
    """
    from shelfwise.ranking.loaded_relevance import LoadedRelevance
    from shelfwise.training.train import train

    began = time.perf_counter()
    prepared = _as_judgements(judged, fold, config, scratch / "judged")
    manifest = train(prepared, scratch / "run", config.model, config.train, progress)
    with progress.step("Grading the test"):
        loaded = LoadedRelevance(scratch / "run", manifest)
        table = prepared.judgements[fold.test]
        query_T, item_T = (table[name].to_numpy() for name in ("query", "item"))
        grade_T = loaded.grades(prepared.queries["text"].to_list(), query_T, item_T)
    told = {name: manifest.facts[name] for name in ("best_step", "steps", "validation")}
    return grade_T, {**told, "seconds": round(time.perf_counter() - began, 1)}


def _as_judgements(
    judged: Judged, fold: Fold, config: ShopConfig, folder: Path
) -> PreparedJudgements:
    """Row i is row i of the judged table; its titles are the catalogue."""
    folder.mkdir(exist_ok=True)  # keeps the tokens
    texts = {
        name: judged.rows[column].unique(maintain_order=True)
        for name, column in (("query", "query"), ("item", "title"))
    }
    number = {
        name: dict(zip(column.to_list(), range(len(column)), strict=True))
        for name, column in texts.items()
    }
    part_N = np.full(len(judged.rows), "test", dtype=object)
    part_N[fold.train], part_N[fold.validation] = "train", "validation"
    return PreparedJudgements(
        folder=folder,
        options=config,
        manifest=judged.prepared.manifest,
        items=pl.DataFrame(
            {"item_id": texts["item"], "title": texts["item"], "text": texts["item"]}
        ),
        queries=pl.DataFrame({"text": texts["query"]}),
        judgements=pl.DataFrame(
            {
                "query": [number["query"][text] for text in judged.rows["query"]],
                "item": [number["item"][text] for text in judged.rows["title"]],
                "grade": judged.rows["grade"],
                "part": part_N.tolist(),
            },
            schema=JUDGED,
        ),
    )


def pairs_classifier(
    judged: Judged, fold: Fold, config: ShopConfig, scratch: Path, progress: Progress
) -> tuple[NDArray[np.float64], Mapping[str, Any]]:
    """Our classifier of texts on "query [SEP] title"; the grade is the mean over its classes.

    Query and title are read together by the pre-trained encoder, of which the upper layers learn.
    Validation stops it.
    """
    from shelfwise.ranking.loaded_classifier import LoadedClassifier
    from shelfwise.training.train import train

    began = time.perf_counter()
    rows = judged.rows.with_columns(
        pl.concat_str("query", "title", separator=" [SEP] ").alias("text")
    )
    grade_N, grade_C = classes_of(rows["grade"].to_numpy())
    folder = scratch / "pairs"
    folder.mkdir(exist_ok=True)  # keeps the tokens
    prepared = PreparedPairs(
        folder=folder,
        options=config,
        manifest=judged.prepared.manifest,
        classes=tuple(f"{grade:g}" for grade in grade_C),
        rows=_parted(rows.with_columns(pl.Series("label", grade_N)), fold),
    )
    manifest = train(prepared, scratch / "run", config.model, config.train, progress)
    with progress.step("Grading the test"):
        loaded = LoadedClassifier(scratch / "run", manifest)
        p_TC = loaded.probabilities(rows["text"].gather(fold.test).to_list())
    told = {name: manifest.facts[name] for name in ("best_step", "validation")}
    return p_TC @ grade_C, {**told, "seconds": round(time.perf_counter() - began, 1)}


def classes_of(grade_N: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of each row's class, and the grade that each class stands for."""
    if len(np.unique(grade_N)) > _MOST_GRADES:
        grade_N = (grade_N * 3).round() / 3
    grade_C, class_N = np.unique(grade_N, return_inverse=True)
    return class_N.astype(np.int64), grade_C


def _parted(rows: pl.DataFrame, fold: Fold) -> pl.DataFrame:
    parts = {"train": fold.train, "validation": fold.validation}
    return pl.concat(
        rows.select("text", "label", pl.lit(part).alias("part"))[places]
        for part, places in parts.items()
    )
