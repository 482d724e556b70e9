"""Precision, recall and F1 of every class.

Shape suffixes in this file: N = rows; C = classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row
from shelfwise.metrics.value import mean_value


@dataclass(frozen=True, slots=True)
class ClassScores:
    """One class, or an average of classes. A share of nothing is nan."""

    name: str
    precision: float  # right among the rows predicted as the class
    recall: float  # found among the rows of the class
    f1: float
    support: int  # rows of the class


@dataclass(frozen=True, slots=True)
class ClassificationReport:
    classes: tuple[ClassScores, ...]
    macro: ClassScores  # every class counts the same
    weighted: ClassScores  # a class counts with its rows
    accuracy: float
    support: int


def classification_report(
    true_N: NDArray[np.integer],
    predicted_N: NDArray[np.integer],
    names: Sequence[str],
) -> ClassificationReport:
    """What a classifier gets right, class by class.

    ``F1 = 2 tp / (2 tp + fp + fn)``: a class that is never predicted has F1 0, while its
    precision is nan. Averages leave nan out, so compare models by F1, which a class that
    occurs cannot drop out of.

    Args:
        true_N: ``[N]`` index into ``names``.
        predicted_N: ``[N]`` index into ``names``.
        names: the classes, in the order of their index.
    """
    require_one_per_row("classification_report", true_N, predicted_N)
    count = len(names)
    for labels in (true_N, predicted_N):
        if len(labels) and not (labels.min() >= 0 and labels.max() < count):
            raise ValueError(
                f"classification_report: class {labels.min()}..{labels.max()} outside the {count} "
                "names"
            )
    right_C = np.bincount(true_N[true_N == predicted_N], minlength=count)
    true_C = np.bincount(true_N, minlength=count)
    predicted_C = np.bincount(predicted_N, minlength=count)

    precision_C = _share(right_C, predicted_C)
    recall_C = _share(right_C, true_C)
    f1_C = _share(2 * right_C, true_C + predicted_C)
    total = len(true_N)

    def average(name: str, weight_C: NDArray[np.float64]) -> ClassScores:
        precision, recall, f1 = (
            mean_value(share_C, weight_C).value for share_C in (precision_C, recall_C, f1_C)
        )
        return ClassScores(name, precision, recall, f1, total)

    return ClassificationReport(
        classes=tuple(
            ClassScores(name, float(precision), float(recall), float(f1), int(support))
            for name, precision, recall, f1, support in zip(
                names, precision_C, recall_C, f1_C, true_C, strict=True
            )
        ),
        macro=average("macro", np.ones(count)),
        weighted=average("weighted", true_C.astype(np.float64)),
        accuracy=float(right_C.sum() / total) if total else float("nan"),
        support=total,
    )


def _share(part_C: NDArray[np.integer], whole_C: NDArray[np.integer]) -> NDArray[np.float64]:
    share_C = np.full(len(whole_C), np.nan)
    np.divide(part_C, whole_C, out=share_C, where=whole_C > 0)
    return share_C
