"""Figures of forecasts whose true probabilities are known, with intervals over shoppers.

A system is forecast once for each seed of training; every figure is the mean over seeds.

Shape suffixes in this file: N = impressions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.bootstrap import Interval, bootstrap_rows
from shelfwise.metrics.calibration_error import calibration_error
from shelfwise.metrics.log_loss import log_loss
from shelfwise.metrics.predicted_over_observed import predicted_over_observed

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DRAWS = 200
QUINTILES = 5
_CELLS = 20
_SHORT = 1e-6


@dataclass(frozen=True, slots=True)
class Known:
    """Impressions, what came of them, and the probabilities it was drawn with."""

    owner_N: NDArray[np.int64]
    clicked_N: Flags
    purchased_N: Flags
    settled_N: Flags  # whether the purchase window has closed
    click_N: Floats  # true P(click)
    convert_N: Floats  # true P(purchase in its window | click)


class Task(NamedTuple):
    """The rows that a probability is judged on."""

    name: str
    kept_N: Flags
    happened_N: Flags
    true_N: Floats
    auc_name: str


def tasks_of(known: Known) -> tuple[Task, Task, Task]:
    """Clicks on all rows; purchases among the clicked, and of all rows, once settled."""
    every_N = np.ones(len(known.owner_N), bool)
    judged_N = known.clicked_N & known.settled_N
    return (
        Task("click", every_N, known.clicked_N, known.click_N, "auc"),
        Task("conversion", judged_N, known.purchased_N, known.convert_N, "cvr_auc"),
        Task(
            "click and purchase",
            known.settled_N,
            known.purchased_N,
            known.click_N * known.convert_N,
            "ctcvr_auc",
        ),
    )


def row(
    system: str, task: str, metric: str, found: Interval, seeds: int, view: str = "main"
) -> dict[str, Any]:
    """A row as every benchmark prints it."""
    return {"system": system, "view": view, "task": task, "metric": metric, "seeds": seeds} | (
        found._asdict()
    )


def task_rows(
    system: str, task: Task, p_per_seed: Sequence[Floats], known: Known
) -> list[dict[str, Any]]:
    """Discrimination and calibration of one probability."""
    owner_N, happened_N = known.owner_N[task.kept_N], task.happened_N[task.kept_N]
    if not happened_N.any() or happened_N.all():
        return []
    shown = [p_N[task.kept_N].clip(_SHORT, 1 - _SHORT) for p_N in p_per_seed]
    figures: dict[str, Callable[[Floats], Callable[[Floats], float]]] = {
        task.auc_name: lambda p_N: SortedAuc.of(p_N, happened_N),
        "log_loss": lambda p_N: lambda w: log_loss(p_N, happened_N, weight_N=w).value,
        "ece": lambda p_N: lambda w: calibration_error(p_N, happened_N, weight_N=w).value,
        "pcoc": lambda p_N: lambda w: predicted_over_observed(p_N, happened_N, weight_N=w).value,
    }
    return [
        row(
            system, task.name, name, _over_shoppers([of(p_N) for p_N in shown], owner_N), len(shown)
        )
        for name, of in figures.items()
    ]


def _over_shoppers(metrics: Sequence[Callable[[Floats], float]], owner_N: Any) -> Interval:
    """Mean over seeds, drawn again over shoppers."""
    return bootstrap_rows(
        lambda w: float(np.mean([metric(w) for metric in metrics])), owner_N, draws=DRAWS, seed=0
    )


def auc_of_oracle(click_per_seed: Sequence[Floats], known: Known) -> Interval:
    """``(AUC - .5) / (oracle's AUC - .5)`` of clicks: the share of what can be known."""
    ours = [SortedAuc.of(p_N, known.clicked_N) for p_N in click_per_seed]
    oracle = SortedAuc.of(known.click_N, known.clicked_N)

    def share(w: Floats) -> float:
        return float(np.mean([auc(w) for auc in ours]) - 0.5) / (oracle(w) - 0.5)

    return bootstrap_rows(share, known.owner_N, draws=DRAWS, seed=0)


def quintile_rows(
    system: str, task: Task, p_per_seed: Sequence[Floats], known: Known
) -> list[dict[str, Any]]:
    """Predicted over observed, and over true, in each fifth of the rows by what was predicted."""
    owner_N, happened_N = known.owner_N[task.kept_N], task.happened_N[task.kept_N].astype(float)
    shown = [p_N[task.kept_N] for p_N in p_per_seed]
    fifths = [_parts(p_N, QUINTILES) for p_N in shown]
    rows = []
    for fifth in range(QUINTILES):
        inside = [fifth_N == fifth for fifth_N in fifths]
        positives = int(np.mean([happened_N[in_N].sum() for in_N in inside]))
        for metric, right_N in (("pcoc", happened_N), ("to_truth", task.true_N[task.kept_N])):
            found = _over_shoppers(
                [_ratio(p_N, right_N, in_N) for p_N, in_N in zip(shown, inside, strict=True)],
                owner_N,
            )
            made = row(system, task.name, metric, found, len(shown), f"fifth {fifth + 1}")
            rows.append(made | {"support": positives})
    return rows


def _parts(p_N: Floats, parts: int) -> NDArray[np.int64]:
    """``[N]`` which of so many parts of equal size, by rank."""
    rank_N = np.empty(len(p_N), np.int64)
    rank_N[np.argsort(p_N, kind="stable")] = np.arange(len(p_N))
    return rank_N * parts // max(len(p_N), 1)


def _ratio(p_N: Floats, right_N: Floats, inside_N: Flags) -> Callable[[Floats], float]:
    above_N, below_N = p_N * inside_N, right_N * inside_N

    def ratio(w: Floats) -> float:
        total = float(w @ below_N)
        return float(w @ above_N) / total if total else float("nan")

    return ratio


def bias(convert_per_seed: Sequence[Floats], known: Known, kept_N: Flags) -> Interval:
    """Mean predicted over mean true P(purchase | click), over rows of all kinds or of one."""
    ratios = [_ratio(p_N, known.convert_N, kept_N) for p_N in convert_per_seed]
    return _over_shoppers(ratios, known.owner_N)


def less_biased(
    ours: Sequence[Floats], other: Sequence[Floats], known: Known, kept_N: Flags
) -> Interval:
    """How much further the other's ratio lies from 1 than ours, on the same draws of shoppers."""

    def off(convert_per_seed: Sequence[Floats]) -> list[Callable[[Floats], float]]:
        return [_ratio(p_N, known.convert_N, kept_N) for p_N in convert_per_seed]

    mine, theirs = off(ours), off(other)

    def gap(w: Floats) -> float:
        a, b = (float(np.mean([ratio(w) for ratio in side])) for side in (mine, theirs))
        return abs(b - 1) - abs(a - 1)

    return bootstrap_rows(gap, known.owner_N, draws=DRAWS, seed=0)


def from_clicks(forecast: tuple[Floats, Floats], known: Known) -> Floats:
    """``[N]`` what a perfect learner would say of P(purchase | click) by what the model sees.

    Rows are told apart by twentieths of the model's own two probabilities; in each cell stands the
    mean true probability, weighted with that of a click: who clicks buys more often than who is
    shown, for reasons that no model sees. So far above the truth every learner from clicks ends on
    rows nobody clicked, whatever its loss; what lies beyond is the loss's own bias.
    """
    click_N, convert_N = (_parts(p_N, _CELLS) for p_N in forecast)
    cell_N = click_N * _CELLS + convert_N
    bought_C = np.bincount(cell_N, known.click_N * known.convert_N)
    clicked_C = np.bincount(cell_N, known.click_N)
    rate_C = np.divide(bought_C, clicked_C, out=np.zeros_like(bought_C), where=clicked_C > 0)
    rate_N: Floats = rate_C[cell_N]
    return rate_N
