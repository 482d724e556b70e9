"""Do probabilities mean what they say: on the whole, and the more so the surer they are?

PCOC says whether the mean is right. The calibration line (Cox, 1958) fits what happened by the
logit of what was said: a slope below 1 is a model that exaggerates, above 1 one that is too timid;
doubled logits have slope .5 however good their mean looks.

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.diagnosis.case import Case, Heard
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding, Severity
from shelfwise.evaluation.slices.influence import (
    Estimate,
    interval_of,
    mean_estimate,
    ratio_estimate,
)
from shelfwise.metrics.bootstrap import Interval
from shelfwise.metrics.calibration_error import calibration_error

_FEWEST = 30  # positives and negatives below which nothing is said
_MEAN = (0.75, 1.4)  # PCOC outside of this, interval and all, is broken
_MEAN_OFF = (0.9, 1.1)  # outside of this it is worth a refit
_SLOPE = (0.65, 1.6)
_TINY = 1e-6


class Judged(NamedTuple):
    """One task on one surface, beside what happened."""

    task: str
    surface: str  # "all", or its name
    pcoc: Interval
    slope: Interval
    ece: float
    log_loss: Interval  # less that of the constant rate: above 0 is worse than a constant
    positives: int


def calibration_findings(case: Case) -> list[Finding]:
    """The worst of what is broken, or that nothing is."""
    if not case.has_impressions:
        return []
    judged = [one for one in _judged(case.held_out)]
    if not judged:
        return []
    evidence = [
        figure
        for one in judged
        for figure in (
            Evidence.of_interval(f"{one.task}, {one.surface}: PCOC", one.pcoc),
            Evidence.of_interval(f"{one.task}, {one.surface}: slope", one.slope),
            Evidence(
                f"{one.task}, {one.surface}: ECE", one.ece, support=one.positives, of="positives"
            ),
        )
    ]
    action = (
        "Fit the calibrators anew (`shelfwise calibrate`, or train again) and look at sample "
        "weights in [weights]; a surface with fewer than train.calibration.least_positives "
        "positives shares the curve of all."
    )
    for severity in ("illness", "warning"):
        bad = [
            (one, said)
            for one in judged
            if (said := _said(one, severity)) and not (severity == "illness" and _shares(case, one))
        ]
        if bad:
            worst = [f"{one.task} ({one.surface}) {said}" for one, said in bad[:3]]
            name = "broken calibration" if severity == "illness" else "calibration"
            sentence = f"On {case.judged}, {'; '.join(worst)}."
            return [Finding(name, severity, sentence, evidence, action)]
    return [
        Finding(
            "calibration",
            "fine",
            f"Predicted and observed rates agree on {case.judged}, as far as "
            f"{judged[0].positives:,} clicks can tell.{_fitted_there(case)}",
            evidence,
        )
    ]


def _shares(case: Case, one: Judged) -> bool:
    """Whether the surface has no curve of its own: off by itself, it is not yet broken."""
    calibration = case.run.calibration
    maps = calibration.click if one.task == "click" else calibration.convert
    return one.surface != "all" and one.surface not in maps.surfaces


def _fitted_there(case: Case) -> str:
    """Warns that calibrators always agree with the rows they were fitted on."""
    if case.judged != "validation":
        return ""
    return " Calibrators are fitted on validation: whether they hold later, evaluate says."


def _said(one: Judged, severity: Severity) -> str:
    mean = _MEAN if severity == "illness" else _MEAN_OFF
    for found, bounds, high, low in (
        (
            one.pcoc,
            mean,
            "promises {:.2f} times what happens",
            "promises only {:.2f} of what happens",
        ),
        (
            one.slope,
            _SLOPE,
            "is too timid: logits should be {:.2f} times as large",
            "exaggerates: logits should be {:.2f} times as large",
        ),
    ):
        if found.low > bounds[1]:
            return high.format(found.value)
        if found.high < bounds[0]:
            return low.format(found.value)
    if severity == "illness" and one.log_loss.low > 0:
        return f"is worse than its constant rate, by {one.log_loss.value:.4f} nats a row"
    return ""


def _judged(heard: Heard) -> Iterator[Judged]:
    answers = heard.answers
    everywhere = [("all", np.ones(len(answers.click_N), bool))]
    surfaces = heard.surfaces()
    for surface, rows_N in everywhere + (surfaces if len(surfaces) > 1 else []):
        for task, p_N, label_N, kept_N in (
            ("click", answers.click_N, answers.clicked_N, rows_N),
            ("conversion", answers.convert_N, answers.purchased_N, rows_N & heard.judged_N),
        ):
            found = judge(task, surface, p_N[kept_N], label_N[kept_N], heard.owner_N[kept_N])
            if found is not None:
                yield found


def judge(
    task: str,
    surface: str,
    p_N: NDArray[np.floating],
    label_N: NDArray[np.bool_],
    owner_N: NDArray[np.int64],
) -> Judged | None:
    """Mean, slope and error of some rows; None where too few of either label are there."""
    positives = int(label_N.sum())
    if min(positives, len(label_N) - positives) < _FEWEST:
        return None
    safe_N: NDArray[np.float64] = p_N.astype(np.float64).clip(_TINY, 1 - _TINY)
    rate = positives / len(label_N)
    loss_N = _losses(safe_N, label_N) - _losses(np.full(len(safe_N), rate), label_N)
    return Judged(
        task,
        surface,
        interval_of(ratio_estimate(safe_N, label_N), owner_N),
        interval_of(slope_estimate(safe_N, label_N), owner_N),
        calibration_error(safe_N, label_N, bins=10).value,
        interval_of(mean_estimate(loss_N), owner_N),
        positives,
    )


def _losses(p_N: NDArray[np.float64], label_N: NDArray[np.bool_]) -> NDArray[np.float64]:
    return -np.log(np.where(label_N, p_N, 1 - p_N))


def slope_estimate(p_N: NDArray[np.float64], label_N: NDArray[np.bool_]) -> Estimate:
    """Slope of the logistic regression of labels on logits, by Newton's method.

    nan where logits hardly differ: a constant has no slope.
    """
    logit_N = np.log(p_N / (1 - p_N))
    middle, spread = float(logit_N.mean()), float(logit_N.std())
    nothing = Estimate(float("nan"), np.zeros(len(p_N)))
    if spread < 0.05:
        return nothing
    design_N2 = np.stack([np.ones(len(p_N)), (logit_N - middle) / spread], axis=1)
    weight_2 = np.array([np.log(label_N.mean() / (1 - label_N.mean())), 0.0])
    hessian_22 = np.eye(2)
    for _ in range(50):
        mean_N = 1 / (1 + np.exp(-(design_N2 @ weight_2)))
        gradient_N2 = design_N2 * (label_N - mean_N)[:, None]
        hessian_22 = (design_N2 * (mean_N * (1 - mean_N))[:, None]).T @ design_N2
        step_2 = np.linalg.solve(hessian_22 + 1e-9 * np.eye(2), gradient_N2.sum(axis=0))
        weight_2 = weight_2 + np.clip(step_2, -2, 2)
        if np.abs(step_2).max() < 1e-9:
            break
    influence_N2 = gradient_N2 @ np.linalg.inv(hessian_22 + 1e-9 * np.eye(2))
    value = float(weight_2[1] / spread)
    return nothing if isnan(value) else Estimate(value, influence_N2[:, 1] / spread)
