"""Clicks and conversions of the test's impressions: predicted against what happened.

Shape suffixes in this file: N = impressions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.batches import Examples
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.report import Reliability, Row
from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.average_precision import SortedAveragePrecision
from shelfwise.metrics.bootstrap import (
    Interval,
    bootstrap_rows,
    bootstrap_sums,
)
from shelfwise.metrics.calibration_error import SortedCalibrationError
from shelfwise.metrics.grouped_auc import auc_by_group
from shelfwise.metrics.log_loss import log_losses
from shelfwise.metrics.normalised_entropy import entropy_of
from shelfwise.metrics.reliability_curve import reliability_curve
from shelfwise.metrics.value import ratio
from shelfwise.schema.errors import DataError

_ROW_DRAWS = 200  # each draw passes over every impression
_SHORT = 1e-6


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What was shown in the test, and what came of it."""

    owner_N: NDArray[np.int64]
    request_N: NDArray[np.int64]
    item_N: NDArray[np.int64]
    position_N: NDArray[np.int64]
    clicked_N: NDArray[np.bool_]
    purchased_N: NDArray[np.bool_]
    known_N: NDArray[np.bool_]

    @classmethod
    def of(cls, examples: Examples) -> Outcomes:
        """The impressions of all requests, in order."""
        count_R = np.diff(examples.shown_offset_R1)
        return cls(
            owner_N=np.repeat(examples.owner_R, count_R),
            request_N=np.repeat(examples.request_R, count_R),
            item_N=examples.shown_item_N,
            position_N=examples.position_N,
            clicked_N=examples.clicked_N,
            purchased_N=examples.purchased_N,
            known_N=examples.known_N,
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """A system's probabilities for every impression; nan throughout where it has none."""

    system: str
    click_N: NDArray[np.floating[Any]]
    convert_N: NDArray[np.floating[Any]]


def impression_rows(outcomes: Outcomes, forecast: Forecast, options: EvaluateOptions) -> list[Row]:
    """Every figure of clicks (all impressions), conversions (clicked ones) and their product."""
    owner_N, known_N = outcomes.owner_N, outcomes.known_N
    bought_N = outcomes.clicked_N & known_N
    both_N = forecast.click_N * forecast.convert_N
    tasks = [
        ("click", forecast.click_N, outcomes.clicked_N, np.ones(len(owner_N), bool)),
        ("conversion", forecast.convert_N, outcomes.purchased_N, bought_N),
        ("click and purchase", both_N, outcomes.purchased_N, known_N),
    ]
    rows = []
    for task, p_N, label_N, kept_N in tasks:
        if np.isnan(p_N[kept_N]).any() or not kept_N.any():
            continue
        inside = _Task(task, p_N[kept_N], label_N[kept_N], owner_N[kept_N])
        rows += _task_rows(forecast.system, inside, options)
        if task == "click":
            rows.append(_grouped(forecast, outcomes, options))
    return rows


@dataclass(frozen=True, slots=True)
class _Task:
    name: str
    p_N: NDArray[np.floating[Any]]
    label_N: NDArray[np.bool_]
    owner_N: NDArray[np.int64]


# Metric names as the benchmarks print them: CVR-AUC on clicked rows, CTCVR-AUC on all.
_AUC_NAME = {"click": "auc", "conversion": "cvr_auc", "click and purchase": "ctcvr_auc"}


def _task_rows(system: str, task: _Task, options: EvaluateOptions) -> list[Row]:
    order = np.argsort(task.p_N, kind="stable")  # sorting again is then quick
    p_N, label_N, owner_N = task.p_N[order], task.label_N[order], task.owner_N[order]
    clipped_N = p_N.clip(_SHORT, 1 - _SHORT)
    by_rows: dict[str, Callable[[NDArray[Any]], float]] = {
        _AUC_NAME[task.name]: SortedAuc.of(p_N, label_N),
        "pr_auc": SortedAveragePrecision.of(p_N, label_N),
        "ece": SortedCalibrationError.of(clipped_N, label_N),
    }
    draws = min(options.draws, _ROW_DRAWS)
    found = {
        name: bootstrap_rows(metric, owner_N, draws=draws, seed=options.seed)
        for name, metric in by_rows.items()
    }
    sum_US = _sums_of_owners(p_N, label_N, log_losses(clipped_N, label_N), owner_N)
    each = np.arange(len(sum_US))
    for name, of_sums in _OF_SUMS.items():
        found[name] = bootstrap_sums(
            of_sums, sum_US, each, rows_N=sum_US[:, 0], draws=options.draws, seed=options.seed
        )
    shown = (_AUC_NAME[task.name], "pr_auc", "log_loss", "ne", "brier", "ece", "pcoc")
    return [row(system, task.name, name, found[name]) for name in shown]


def _sums_of_owners(
    p_N: NDArray[np.floating[Any]],
    label_N: NDArray[np.bool_],
    loss_N: NDArray[np.float64],
    owner_N: NDArray[np.int64],
) -> NDArray[np.float64]:
    """``[U, 5]`` rows, positives, predictions, log losses and squared errors of each owner."""
    _, place_N = np.unique(owner_N, return_inverse=True)
    columns = (np.ones(len(p_N)), label_N, p_N, loss_N, (p_N - label_N) ** 2)
    return np.stack([np.bincount(place_N, column) for column in columns], axis=1)


# The same numbers as the functions of `metrics`, from what _sums_of_owners adds up.
_OF_SUMS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "log_loss": lambda sums: ratio(sums[:, 3], sums[:, 0]),
    "ne": lambda sums: ratio(
        ratio(sums[:, 3], sums[:, 0]), entropy_of(ratio(sums[:, 1], sums[:, 0]))
    ),
    "brier": lambda sums: ratio(sums[:, 4], sums[:, 0]),
    "pcoc": lambda sums: ratio(sums[:, 2], sums[:, 1]),
}


def _grouped(forecast: Forecast, outcomes: Outcomes, options: EvaluateOptions) -> Row:
    groups = auc_by_group(forecast.click_N, outcomes.clicked_N, outcomes.request_N)
    _, first_G = np.unique(outcomes.request_N, return_index=True)
    mixed_G = ~np.isnan(groups.value_G)
    rows_G = groups.rows_G[mixed_G].astype(np.float64)
    # Users are drawn again, not requests: those of one user resemble each other.
    found = bootstrap_sums(
        lambda sum_DS: ratio(sum_DS[:, 0], sum_DS[:, 1]),
        np.stack([groups.value_G[mixed_G] * rows_G, rows_G], axis=1),
        outcomes.owner_N[first_G][mixed_G],
        draws=options.draws,
        seed=options.seed,
    )
    return row(forecast.system, "click", "gauc", found)


def grouped_auc_note(outcomes: Outcomes) -> str:
    """Which requests GAUC rests on, and what each of them counts."""
    _, request_N = np.unique(outcomes.request_N, return_inverse=True)
    clicks_R = np.bincount(request_N, outcomes.clicked_N)
    alike_R = (clicks_R == 0) | (clicks_R == np.bincount(request_N))
    return (
        f"GAUC weighs each request by its impressions; {int(alike_R.sum()):,} of "
        f"{len(alike_R):,} test requests had all or none of them clicked and are left out."
    )


def open_windows_note(clicked_N: NDArray[np.bool_], known_N: NDArray[np.bool_]) -> str:
    """How many impressions say nothing of purchases yet, and which figures do without them."""
    open_N = ~known_N
    return (
        f"{int((clicked_N & open_N).sum()):,} of {int(clicked_N.sum()):,} clicked test impressions "
        "have a purchase window that is still open: unknown, left out of conversion figures. With "
        f"{int((~clicked_N & open_N).sum()):,} of {int((~clicked_N).sum()):,} that nobody clicked, "
        "whose window is open as well, they are left out of click-and-purchase figures."
    )


def row(system: str, task: str, metric: str, found: Interval, view: str = "main") -> Row:
    """A report row from an interval."""
    return Row(system, view, task, metric, found.value, found.low, found.high, found.support)


def reliability(outcomes: Outcomes, forecast: Forecast) -> list[Reliability]:
    """Predicted against observed rates of clicks and conversions."""
    kept_N = outcomes.clicked_N & outcomes.known_N
    found = []
    for name, p_N, label_N in (
        ("click", forecast.click_N, outcomes.clicked_N),
        ("conversion", forecast.convert_N[kept_N], outcomes.purchased_N[kept_N]),
    ):
        if len(p_N) and not np.isnan(p_N).any():
            curve = reliability_curve(p_N, label_N, bins=15)
            found.append(
                Reliability(
                    name,
                    curve.predicted_K.tolist(),
                    curve.observed_K.tolist(),
                    curve.count_K.tolist(),
                )
            )
    return found


def item_rates(prepared: PreparedShop, training: Examples, outcomes: Outcomes) -> Forecast:
    """Baseline: each item's click rate times its position's, from training, shrunk to the mean.

    The strength of the shrinkage is 20 impressions, the usual size of a shop's shelf or two.
    """
    known = Outcomes.of(training)
    mean = float(known.clicked_N.mean()) if known.clicked_N.any() else float("nan")
    item_V = _shrunk(known.item_N, known.clicked_N, len(prepared.items), mean)
    top = int(max(known.position_N.max(initial=0), outcomes.position_N.max(initial=0))) + 1
    place_K = _shrunk(known.position_N, known.clicked_N, top, mean)
    p_N = item_V[outcomes.item_N] * place_K[outcomes.position_N] / mean
    bought = known.clicked_N & known.known_N
    rate = float(known.purchased_N[bought].mean()) if bought.any() else float("nan")
    convert_V = _shrunk(known.item_N[bought], known.purchased_N[bought], len(prepared.items), rate)
    return Forecast("item and position rates", p_N.clip(0, 1), convert_V[outcomes.item_N])


def _shrunk(
    key_N: NDArray[np.int64], label_N: NDArray[np.bool_], size: int, mean: float
) -> NDArray[np.float64]:
    shown = np.bincount(key_N, minlength=size)
    hit = np.bincount(key_N, label_N.astype(np.float64), minlength=size)
    rate: NDArray[np.float64] = (hit + 20 * mean) / (shown + 20)
    return rate


def oracle(prepared: PreparedShop, truth: Path, outcomes: Outcomes) -> Forecast:
    """The generator's own probabilities, in the order of the impressions.

    Raises:
        DataError: there is no such truth file, or it lacks an impression of the test.
    """
    # Evaluation judges purchases within their window, which is less than "ever".
    columns = ["request_id", "item_id", "p_click", "p_convert_in_window"]
    try:
        table = pl.read_parquet(truth, columns=columns, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        told = str(error).splitlines()[0]
        raise DataError(
            f"{truth}: not a truth file ({told}); "
            "`shelfwise sample` writes truth/impressions.parquet"
        ) from error
    ids = pl.DataFrame(
        {
            "request_id": prepared.requests["request_id"].gather(outcomes.request_N),
            "item_id": prepared.items["item_id"].gather(outcomes.item_N),
        }
    )
    joined = ids.join(table, on=["request_id", "item_id"], how="left", maintain_order="left")
    missing = joined["p_click"].null_count()
    if missing or len(joined) != len(ids):
        raise DataError(f"{truth}: {missing} test impressions have no row in the truth file")
    click, convert = (joined[name].to_numpy() for name in columns[2:])
    return Forecast("oracle", click, convert)
