"""Calibrators fitted to what happened: temperature, Platt, isotonic, and which of them holds best.

Rows count once each, whatever they weighed in training. A row of which a share F of the positives
had come (an open purchase window) is positive with probability ``p * F`` (delayed feedback;
Chapelle, 2014), in the likelihood of every calibrator.

Shape suffixes in this file: N = rows, K = steps of an isotonic regression.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import isotonic_regression

from shelfwise.models.calibration import (
    LEAST_SLOPE,
    AsPredicted,
    CalibrationOptions,
    Calibrator,
    CalibratorKind,
    Isotonic,
    Platt,
    TaskCalibration,
    Temperature,
)
from shelfwise.schema.event import Surface

LEAST_POSITIVES = 20  # that a calibrator, or a step of one, rests on
_FOLDS = 5
_SHORT = 1e-6
_LARGEST = 20.0  # logits beyond are the same certainty
_KINDS: tuple[CalibratorKind, ...] = ("none", "temperature", "platt", "isotonic")


class Rows(NamedTuple):
    """What was predicted of some rows, and what came of them."""

    logit_N: NDArray[np.float64]
    happened_N: NDArray[np.bool_]
    arrived_N: NDArray[np.float64]  # above 0, 1 where all has come that will
    owner_N: NDArray[np.int64]
    surface_N: NDArray[np.int64]  # place in ``Surface``

    def where(self, kept_N: NDArray[np.bool_]) -> Rows:
        """The rows that are kept."""
        return Rows(
            self.logit_N[kept_N],
            self.happened_N[kept_N],
            self.arrived_N[kept_N],
            self.owner_N[kept_N],
            self.surface_N[kept_N],
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A task's calibration and what it rests on."""

    calibration: TaskCalibration
    rows: int
    positives: int
    # Log loss of each kind on owners it was not fitted on, all surfaces pooled; none is as
    # predicted. Empty where there was too little to fit on.
    log_loss: Mapping[CalibratorKind, float]

    def facts(self) -> dict[str, Any]:
        """As a run's manifest has it."""
        surfaces = self.calibration.surfaces
        return {
            "rows": self.rows,
            "positives": self.positives,
            "kinds": {"pooled": self.calibration.pooled.kind}
            | {str(surface): map_.kind for surface, map_ in surfaces.items()},
            "log_loss_on_other_owners": dict(self.log_loss),
        }


def fit_task(rows: Rows, options: CalibrationOptions) -> Fitted:
    """The pooled calibrator, and one of its own for each surface with positives enough."""
    positives = int(rows.happened_N.sum())
    if options.kind == "none" or not _enough(rows, LEAST_POSITIVES):
        return Fitted(TaskCalibration(), len(rows.logit_N), positives, {})
    losses = cross_fitted(rows)
    surfaces = {}
    for place, surface in enumerate(Surface):
        own = rows.where(rows.surface_N == place)
        if _enough(own, max(options.least_positives, LEAST_POSITIVES)):
            own_losses = cross_fitted(own) if options.kind == "auto" else {}
            surfaces[surface] = _fit(own, options, own_losses)
    return Fitted(
        TaskCalibration(pooled=_fit(rows, options, losses), surfaces=surfaces),
        len(rows.logit_N),
        positives,
        losses,
    )


def _enough(rows: Rows, least: int) -> bool:
    """Rows of either label, and owners to judge each other's calibrators."""
    positives = int(rows.happened_N.sum())
    few = min(positives, len(rows.happened_N) - positives) < least
    return not few and len(np.unique(rows.owner_N)) >= _FOLDS


def _fit(
    rows: Rows, options: CalibrationOptions, losses: Mapping[CalibratorKind, float]
) -> Calibrator:
    """The calibrator asked for; `auto` takes the one that holds best on other owners."""
    if options.kind != "auto":
        return fit_kind(rows, options.kind)
    return fit_kind(rows, min(_KINDS, key=lambda kind: losses[kind]))  # ties go to the plainer


def cross_fitted(rows: Rows) -> dict[CalibratorKind, float]:
    """Log loss of each kind where a fifth of the owners at a time is judged by the others' fit."""
    owners, owner_N = np.unique(rows.owner_N, return_inverse=True)
    fold_N = np.random.default_rng(0).permutation(len(owners))[owner_N] % _FOLDS
    total = dict.fromkeys(_KINDS, 0.0)
    for fold in range(_FOLDS):
        others, judged = rows.where(fold_N != fold), rows.where(fold_N == fold)
        for kind in _KINDS:
            calibrator = fit_kind(others, kind)
            total[kind] += float(_losses(calibrator(judged.logit_N), judged).sum())
    return {kind: loss / len(rows.logit_N) for kind, loss in total.items()}


def fit_kind(rows: Rows, kind: CalibratorKind) -> Calibrator:
    """The best calibrator of a kind."""
    match kind:
        case "none":
            return AsPredicted()
        case "temperature":
            slope, _ = _line(rows, with_shift=False)
            return Temperature(factor=slope)
        case "platt":
            slope, shift = _line(rows, with_shift=True)
            return Platt(slope=slope, shift=shift)
        case "isotonic":
            return _isotonic(rows)


def _losses(logit_N: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
    """``[N]`` -log P(what was seen); that a positive had come in time is left out."""
    p_N = expit(logit_N).clip(_SHORT, 1 - _SHORT)
    loss_N: NDArray[np.float64] = -np.where(
        rows.happened_N, np.log(p_N), np.log1p(-p_N * rows.arrived_N)
    )
    return loss_N


def _line(rows: Rows, with_shift: bool) -> tuple[float, float]:
    """Slope and shift of highest likelihood; the slope is sought by its logarithm, so it rises."""
    logit_N = rows.logit_N.clip(-_LARGEST, _LARGEST)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope = np.exp(parameters[0])
        moved_N = slope * logit_N + parameters[1]
        p_N = expit(moved_N).clip(_SHORT, 1 - _SHORT)
        # d/du log p = 1 - p, and d/du log(1 - p F) = -F p (1 - p) / (1 - p F).
        unseen_N = rows.arrived_N * p_N * (1 - p_N) / (1 - rows.arrived_N * p_N)
        d_N = np.where(rows.happened_N, p_N - 1, unseen_N)
        slope_d = slope * (d_N * logit_N).mean()
        return float(_losses(moved_N, rows).mean()), np.array(
            [slope_d, d_N.mean() if with_shift else 0.0]
        )

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-5, 5), (-20, 20)])
    return float(np.exp(found.x[0])), float(found.x[1])


def _isotonic(rows: Rows) -> Isotonic:
    """Steps of the isotonic regression, each of ``LEAST_POSITIVES`` at least, by their centres.

    Of a row with share F, the label over F, with weight F, has the rate as its mean: the pool
    adjacent violators algorithm finds rates as if everything had come.
    """
    order = np.argsort(rows.logit_N, kind="stable")
    logit_N = rows.logit_N[order].clip(-_LARGEST, _LARGEST)
    happened_N, weight_N = rows.happened_N[order].astype(float), rows.arrived_N[order]
    # Equal logits are one point.
    starts = np.flatnonzero(np.diff(logit_N, prepend=-np.inf))
    happened, weight, middle = (
        np.add.reduceat(column, starts) for column in (happened_N, weight_N, weight_N * logit_N)
    )
    rate = np.asarray(isotonic_regression(happened / weight, sample_weight=weight))
    steps = np.flatnonzero(np.diff(rate, prepend=-np.inf))
    steps = _large_enough(steps, np.add.reduceat(happened, steps))
    happened_K, weight_K, middle_K = (
        np.add.reduceat(column, steps) for column in (happened, weight, middle)
    )
    logit_K = middle_K / weight_K
    calibrated_K = logit((happened_K / weight_K).clip(_SHORT, 1 - _SHORT))
    kept = _rising(logit_K, calibrated_K)
    return Isotonic(logits=tuple(logit_K[kept]), calibrated=tuple(calibrated_K[kept]))


def _rising(logit_K: NDArray[np.float64], calibrated_K: NDArray[np.float64]) -> list[int]:
    """Points that stand visibly above the one before: a piece too flat would make ties."""
    kept = [0]
    for place in range(1, len(logit_K)):
        run = logit_K[place] - logit_K[kept[-1]]
        if calibrated_K[place] - calibrated_K[kept[-1]] > LEAST_SLOPE * run:
            kept.append(place)
    return kept


def _large_enough(starts: NDArray[np.int64], positives: NDArray[np.float64]) -> NDArray[np.int64]:
    """Starts of the steps, those with few positives joined to the next, the last to the one before.

    Joined neighbours of a rising sequence rise still.
    """
    kept: list[int] = []
    gathered = 0.0
    for start, count in zip(starts.tolist(), positives.tolist(), strict=True):
        if not kept or gathered >= LEAST_POSITIVES:
            kept.append(start)
            gathered = 0.0
        gathered += count
    if gathered < LEAST_POSITIVES and len(kept) > 1:
        kept.pop()
    return np.array(kept, np.int64)
