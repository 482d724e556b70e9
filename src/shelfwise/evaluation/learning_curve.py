"""A figure against the share of the data, and against steps: is more data worth having?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.folds import share_of_training
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.pieces import MeasuredPiece, Piece, Setting, measure_pieces, read_pieces
from shelfwise.evaluation.power_law import Doubling, Point, PowerLaw, doubling, fit_power_law
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.report_words import figure, interval, metric_words
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent

SHARES = (0.125, 0.25, 0.5, 1.0)
_NORMAL_WIDTH = 2 * 1.959964  # standard errors in a 95 % interval


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure against the number of training requests."""

    task: str
    view: str
    metric: str
    points: list[Point]
    law: PowerLaw | None
    doubled: Doubling
    sentence: str


@dataclass(frozen=True, slots=True)
class LearningCurves:
    """Every figure against data; steps stand in each training's own curve."""

    protocol: str
    fingerprint: str
    headline: str
    trainings: list[MeasuredPiece]
    curves: list[Curve]

    def curve(self, metric: str) -> Curve | None:
        """A figure in the headline view, or in the only one it has."""
        found = (c for c in self.curves if c.metric == metric)
        return next((c for c in found if c.view in (self.headline, "main")), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null."""
        return {"benchmark": "learning_curve", **plain(asdict(self))}


def learning_curve(
    prepared: PreparedShop,
    out: Path,
    setting: Setting,
    shares: Sequence[float] = SHARES,
    seeds: int = 1,
    progress: Progress | None = None,
) -> LearningCurves:
    """Train on growing shares of the users; judged on everybody's validation, never on the test.

    A refit is not made, whatever ``setting`` says: it would learn from everybody at every share.

    Raises:
        ConfigError: a share is not in (0, 1], or ``out`` is not ours.
    """
    wrong = [share for share in shares if not 0 < share <= 1]
    if wrong or not shares:
        raise ConfigError(f"shares of the data must lie above 0 and at most at 1, found {wrong}")
    setting = replace(setting, train=setting.train.model_copy(update={"refit": False}))
    first = setting.train.seed
    pieces = [
        Piece(
            f"share-{share:g}-seed-{seed}", partial(share_of_training, prepared, share, seed), seed
        )
        for share in sorted(set(shares))
        for seed in range(first, first + seeds)
    ]
    fingerprint = prepared.manifest.data_fingerprint
    plan = {"kind": "learning_curve", "data_fingerprint": fingerprint}
    return _found(plan, measure_pieces(out, plan, pieces, setting, progress or Silent()), first)


def open_learning_curve(out: Path) -> LearningCurves:
    """What `learning_curve` wrote to ``out``, as far as it came.

    Raises:
        ArtifactError: it wrote nothing there.
    """
    plan, measured = read_pieces(out, "learning_curve")
    return _found(plan, measured, plan["train"]["seed"])


def _found(plan: Mapping[str, Any], measured: list[MeasuredPiece], seed: int) -> LearningCurves:
    sizes = sorted({piece.requests for piece in measured})
    return LearningCurves(
        protocol=f"{len(measured)} trainings on {', '.join(f'{size:,}' for size in sizes)} "
        "requests: shares of the users, smaller ones inside larger ones of the same draw; judged "
        "on everybody's requests of validation, without a refit. The test part is not read.",
        fingerprint=plan["data_fingerprint"],
        headline=measured[-1].headline,
        trainings=measured,
        curves=curves_of(measured, seed),
    )


def curves_of(trainings: Sequence[MeasuredPiece], seed: int) -> list[Curve]:
    """A curve for each figure of ours that has a better and a worse direction."""
    rows = [(training, row) for training in trainings for row in training.rows]
    keys = dict.fromkeys((row.task, row.view, row.metric) for _, row in rows if row.system == OURS)
    found = []
    for task, view, metric in keys:
        words = metric_words(metric)
        if words is None or words.better == "near 1":
            continue
        points = [
            Point(training.requests, training.seed, row.value, row.low, row.high)
            for training, row in rows
            if (row.system, row.task, row.view, row.metric) == (OURS, task, view, metric)
        ]
        found.append(_curve((task, view, metric), points, words.better == "higher", seed))
    return found


def _curve(key: tuple[str, str, str], points: list[Point], rising: bool, seed: int) -> Curve:
    size_P = np.array([point.requests for point in points], np.float64)
    value_P = np.array([point.value for point in points])
    error_P = np.array([(point.high - point.low) / _NORMAL_WIDTH for point in points])
    law = fit_power_law(size_P, value_P, error_P, rising=rising)
    doubled = doubling(size_P, value_P, error_P, rising=rising, seed=seed)
    known_P = size_P[~np.isnan(value_P)]
    return Curve(*key, points, law, doubled, _sentence(key[2], known_P, doubled, rising))


def _sentence(metric: str, size_P: NDArray[np.float64], doubled: Doubling, rising: bool) -> str:
    if np.isnan(doubled.gain):
        return f"{metric}: too few sizes of training data to say what more would bring."
    most = f"{size_P.max():,.0f}"
    told = (
        f"{figure(doubled.gain, 4, signed=True)} {interval(doubled.low, doubled.high, 4)}".strip()
    )
    sure = doubled.low > 0 if rising else doubled.high < 0
    verdict = "more data would help" if sure else "it cannot be told whether more data would help"
    return f"{metric}: twice the {most} training requests would bring {told}: {verdict}."
