"""The plain case measured: the classification report of the held-out texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedPairs
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import row
from shelfwise.evaluation.report import OURS, Row
from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.bootstrap import bootstrap_rows
from shelfwise.metrics.classification_report import (
    ClassificationReport,
    ClassScores,
    classification_report,
)
from shelfwise.metrics.f1_threshold import f1_threshold
from shelfwise.ranking.loaded_classifier import LoadedClassifier
from shelfwise.schema.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a classifier says of the test's texts, beside what they are."""

    classes: list[str]
    p_NC: NDArray[np.float64]
    predicted_N: NDArray[np.int64]
    true_N: NDArray[np.int64]


def classification_report_of(
    run: Path, manifest: Manifest, prepared: PreparedPairs, options: EvaluateOptions
) -> list[Row]:
    """Precision, recall, F1 and support of every class on the test rows, with intervals."""
    told = labelled(run, manifest, prepared)
    rows: list[Row] = []
    if len(told.classes) == 2:
        area = SortedAuc.of(told.p_NC[:, 1], told.true_N == 1)
        found = bootstrap_rows(area, np.arange(len(told.true_N)), draws=200, seed=options.seed)
        rows.append(row(OURS, "classification", "auc", found))
    return rows + _report_rows(told.true_N, told.predicted_N, told.classes, options)


def labelled(run: Path, manifest: Manifest, prepared: PreparedPairs) -> Labelled:
    """Score the test's texts.

    Two classes are told apart at the threshold that maximises F1 on validation; more by the
    largest probability.
    """
    model = LoadedClassifier(run, manifest)
    test = prepared.rows.filter(pl.col("part") == "test")
    p_NC = model.probabilities(test["text"].to_list())
    predicted_N = p_NC.argmax(axis=1)
    if len(model.classes) == 2:
        threshold = _validation_threshold(model, prepared)
        predicted_N = (p_NC[:, 1] >= threshold).astype(np.int64)
    return Labelled(model.classes, p_NC, predicted_N, test["label"].to_numpy())


def _validation_threshold(model: LoadedClassifier, prepared: PreparedPairs) -> float:
    rows = prepared.rows.filter(pl.col("part") == "validation")
    p_N = model.probabilities(rows["text"].to_list())[:, 1]
    return f1_threshold(p_N, rows["label"].to_numpy() == 1).threshold


def _report_rows(
    true_N: NDArray[np.int64],
    predicted_N: NDArray[np.int64],
    classes: list[str],
    options: EvaluateOptions,
) -> list[Row]:
    report = classification_report(true_N, predicted_N, classes)
    draws = _drawn_reports(true_N, predicted_N, classes, options)
    rows = []
    sections = [*report.classes, report.macro, report.weighted]
    for place, scores in enumerate(sections):
        drawn = [[*one.classes, one.macro, one.weighted][place] for one in draws]
        for metric in ("precision", "recall", "f1"):
            low, high = _range([getattr(one, metric) for one in drawn])
            rows.append(_row(scores, metric, low, high))
    low, high = _range([one.accuracy for one in draws])
    support = report.support
    rows.append(
        Row(OURS, "main", "classification", "accuracy", report.accuracy, low, high, support)
    )
    return rows


def _row(scores: ClassScores, metric: str, low: float, high: float) -> Row:
    value = float(getattr(scores, metric))
    return Row(OURS, scores.name, "classification", metric, value, low, high, scores.support)


def _drawn_reports(
    true_N: NDArray[np.int64],
    predicted_N: NDArray[np.int64],
    classes: list[str],
    options: EvaluateOptions,
) -> list[ClassificationReport]:
    rng = np.random.default_rng(options.seed)
    drawn = [rng.integers(len(true_N), size=len(true_N)) for _ in range(min(options.draws, 200))]
    return [classification_report(true_N[rows], predicted_N[rows], classes) for rows in drawn]


def _range(values: list[float]) -> tuple[float, float]:
    known = np.asarray(values)[~np.isnan(values)]
    if len(known) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
