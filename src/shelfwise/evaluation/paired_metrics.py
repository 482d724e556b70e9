"""Metrics in a form that two systems can be compared in: unit by unit, several seeds as one system.

A metric is either a weighted mean over users (or items, texts), or a figure of all rows at once,
such as AUC. Of a system that was trained with several seeds the figure is the mean over its seeds.

Shape suffixes in this file: S = seeds, U = users (or items, texts), T = targets, N = rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.evaluation.match import Ranked
from shelfwise.evaluation.stored_answers import Answers, ShopAnswers, TextAnswers
from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.calibration_error import calibration_error
from shelfwise.metrics.grouped_auc import auc_by_group
from shelfwise.metrics.rows import row_weights
from shelfwise.metrics.swapped_auc import SwappedAuc
from shelfwise.metrics.swapped_calibration_error import SwappedCalibrationError

_COLD_PLACES = 100
_SHORT = 1e-6  # predictions are kept this far from 0 and 1 for the log loss, as in `evaluate`

Weighted = Callable[[NDArray[Any]], float]  # a figure of rows with these weights
Swapped = Callable[[NDArray[np.bool_]], float]  # a difference once these rows are exchanged
Probabilities = NDArray[np.float64]
Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Place:
    """Which figure it is."""

    task: str
    view: str
    metric: str
    unit: str  # what is drawn again and flipped: users, items, texts


@dataclass(frozen=True, slots=True)
class MeanMetric:
    """A weighted mean over units; a pair of systems has the same units."""

    place: Place
    value_SU: NDArray[np.float64]  # nan where a unit has none
    weight_U: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RowMetric:
    """A figure of all rows at once, that is no mean over units."""

    place: Place
    p_SN: NDArray[np.float64]
    label_N: NDArray[np.bool_]
    unit_N: NDArray[np.int64]
    prepared: Callable[[Probabilities, Labels], Weighted]
    loss: Callable[[float], float] | None = None  # compared by this where the figure has no order
    swapped: Callable[[Probabilities, Probabilities, Labels], Swapped] | None = None  # a quick way


Metric = MeanMetric | RowMetric


def metrics_of(seeds: Sequence[Answers], k: int) -> list[Metric]:
    """Every figure of one system, its answers with each seed given; the headline's first."""
    shops = [one for one in seeds if isinstance(one, ShopAnswers)]
    if shops:
        return [*_match_metrics(shops, k), *_impression_metrics(shops)]
    return list(_text_metrics([one for one in seeds if isinstance(one, TextAnswers)]))


def _match_metrics(seeds: Sequence[ShopAnswers], k: int) -> Iterator[Metric]:
    first = seeds[0]
    owner_T = _numbers(first.targets["owner"])
    for view in first.views:
        ranked = [one.ranked(view) for one in seeds]
        if len(ranked[0].target_P) == 0:
            continue
        if view == "cold":
            yield _cold_recall(ranked)
            continue
        for name, measure in _match_figures(first.items, k).items():
            value_SU = np.stack([means_by_unit(measure(one), owner_T) for one in ranked])
            place = Place("match", view, name, "users")
            yield MeanMetric(place, value_SU, np.ones(value_SU.shape[1]))


def _match_figures(items: int, k: int) -> dict[str, Callable[[Ranked], NDArray[np.float64]]]:
    return {
        f"ndcg@{k}": lambda found: found.ndcg(k),
        f"recall@{k}": lambda found: found.recall(k),
        f"hr@{k}": lambda found: found.hit_rate(k),
        f"map@{k}": lambda found: found.average_precision(k),
        "mrr": lambda found: found.reciprocal_rank(items),
    }


def _cold_recall(ranked: Sequence[Ranked]) -> MeanMetric:
    """An item's share of askers who find it; items are drawn, since there are few of them."""
    items, item_P = np.unique(ranked[0].item_P, return_inverse=True)
    share_SU = []
    for found in ranked:
        first_P, last_P = found.ranks
        hit_P = (np.minimum(last_P, _COLD_PLACES) - first_P + 1).clip(0) / (last_P - first_P + 1)
        share_SU.append(np.bincount(item_P, hit_P) / np.bincount(item_P))
    place = Place("match", "cold", f"recall@{_COLD_PLACES}", "items")
    weight_U = np.bincount(item_P, minlength=len(items)).astype(np.float64)
    return MeanMetric(place, np.stack(share_SU), weight_U)


def _impression_metrics(seeds: Sequence[ShopAnswers]) -> Iterator[Metric]:
    shown = seeds[0].impressions
    if shown.is_empty():
        return
    clicked_N, purchased_N, known_N = (
        shown[name].to_numpy() for name in ("clicked", "purchased", "known")
    )
    owner_N = _numbers(shown["owner"])
    click_SN, convert_SN = (
        np.stack([one.impressions[name].to_numpy() for one in seeds])
        for name in ("p_click", "p_convert")
    )
    bought_N = clicked_N & known_N
    tasks = (
        ("click", "auc", click_SN, clicked_N, np.ones(len(owner_N), bool)),
        ("conversion", "cvr_auc", convert_SN, purchased_N, bought_N),
        ("click and purchase", "ctcvr_auc", click_SN * convert_SN, purchased_N, known_N),
    )
    for task, area, p_SN, label_N, kept_N in tasks:
        if not kept_N.any() or np.isnan(p_SN[:, kept_N]).any():
            continue
        yield from _row_metrics(
            Place(task, "main", area, "users"), p_SN[:, kept_N], label_N[kept_N], owner_N[kept_N]
        )
        if task == "click":
            request_N = _numbers(shown["request_id"])
            yield _grouped(p_SN, label_N, request_N, owner_N)


def _row_metrics(
    area: Place, p_SN: NDArray[np.float64], label_N: NDArray[np.bool_], unit_N: NDArray[np.int64]
) -> Iterator[Metric]:
    def place(metric: str) -> Place:
        return Place(area.task, area.view, metric, area.unit)

    yield _area(area, p_SN, label_N, unit_N)
    yield _mean_of_rows(place("log_loss"), _surprise(p_SN, label_N), unit_N)
    yield RowMetric(
        place("ece"),
        p_SN,
        label_N,
        unit_N,
        _sorted_calibration_error,
        swapped=_swapped_calibration_error,
    )
    yield RowMetric(
        place("pcoc"), p_SN, label_N, unit_N, _promised, _distance_from_1, _swapped_promises
    )


def _area(
    place: Place, p_SN: NDArray[np.float64], label_N: NDArray[np.bool_], unit_N: NDArray[np.int64]
) -> RowMetric:
    return RowMetric(place, p_SN, label_N, unit_N, SortedAuc.of, swapped=SwappedAuc.of)


def _surprise(p_SN: NDArray[np.float64], label_N: NDArray[np.bool_]) -> NDArray[np.float64]:
    safe_SN = p_SN.clip(_SHORT, 1 - _SHORT)
    loss_SN: NDArray[np.float64] = -np.where(label_N, np.log(safe_SN), np.log1p(-safe_SN))
    return loss_SN


def _mean_of_rows(
    place: Place, value_SN: NDArray[np.float64], unit_N: NDArray[np.int64]
) -> MeanMetric:
    """A mean over rows as a mean over units, each with its rows as weight."""
    _, unit_N = np.unique(unit_N, return_inverse=True)
    weight_U = np.bincount(unit_N).astype(np.float64)
    value_SU = np.stack([np.bincount(unit_N, value_N) / weight_U for value_N in value_SN])
    return MeanMetric(place, value_SU, weight_U)


def _grouped(
    p_SN: NDArray[np.float64],
    label_N: NDArray[np.bool_],
    request_N: NDArray[np.int64],
    owner_N: NDArray[np.int64],
) -> MeanMetric:
    """GAUC by user: the requests of one are drawn together, each with its rows as weight."""
    # Numbers of requests rise from 0, so a group is its number.
    _, first_G = np.unique(request_N, return_index=True)
    groups = [auc_by_group(p_N, label_N, request_N) for p_N in p_SN]
    known_G = ~np.isnan(groups[0].value_G)
    _, owner_G = np.unique(owner_N[first_G][known_G], return_inverse=True)
    rows_G = groups[0].rows_G[known_G].astype(np.float64)
    weight_U = np.bincount(owner_G, rows_G).astype(np.float64)
    value_SU = np.stack(
        [np.bincount(owner_G, rows_G * one.value_G[known_G]) / weight_U for one in groups]
    )
    return MeanMetric(Place("click", "main", "gauc", "users"), value_SU, weight_U)


def _sorted_calibration_error(p_N: NDArray[np.float64], label_N: NDArray[np.bool_]) -> Weighted:
    order_N = np.argsort(p_N, kind="stable")  # the calibration error sorts anyway
    rising_N, label_N = p_N[order_N].clip(_SHORT, 1 - _SHORT), label_N[order_N]
    return lambda w: calibration_error(rising_N, label_N, weight_N=w[order_N]).value


def _swapped_calibration_error(a_N: Probabilities, b_N: Probabilities, label_N: Labels) -> Swapped:
    safe_a_N, safe_b_N = (p_N.clip(_SHORT, 1 - _SHORT) for p_N in (a_N, b_N))
    return SwappedCalibrationError.of(safe_a_N, safe_b_N, label_N)


def _promised(p_N: NDArray[np.float64], label_N: NDArray[np.bool_]) -> Weighted:
    came_N = label_N.astype(np.float64)

    def ratio(weight_N: NDArray[Any]) -> float:
        weight_N = row_weights("pcoc", weight_N, len(p_N))
        came = float(weight_N @ came_N)
        return float(weight_N @ p_N) / came if came else float("nan")

    return ratio


def _swapped_promises(a_N: Probabilities, b_N: Probabilities, label_N: Labels) -> Swapped:
    came = float(np.count_nonzero(label_N))
    if not came:
        return lambda _: float("nan")
    promised_a, promised_b, moved_N = float(a_N.sum()), float(b_N.sum()), b_N - a_N

    def gap(swapped_N: NDArray[np.bool_]) -> float:
        moved = float(moved_N @ swapped_N)
        ours, theirs = (promised_a + moved) / came, (promised_b - moved) / came
        return _distance_from_1(ours) - _distance_from_1(theirs)

    return gap


def _distance_from_1(ratio: float) -> float:
    """Promising twice as much is as far off as promising half as much."""
    return abs(float(np.log(ratio))) if ratio > 0 else float("nan")


def _text_metrics(seeds: Sequence[TextAnswers]) -> Iterator[Metric]:
    true_N = seeds[0].rows["label"].to_numpy()
    row_N = np.arange(len(true_N))
    if len(true_N) == 0:
        return
    p_SNC = np.stack([np.array(one.rows["p"].to_list()) for one in seeds])
    right_SN = np.stack([one.rows["predicted"].to_numpy() == true_N for one in seeds])
    of_true_SN = p_SNC[:, row_N, true_N].clip(_SHORT, 1)
    for metric, value_SN in (("accuracy", right_SN), ("log_loss", -np.log(of_true_SN))):
        place = Place("classification", "main", metric, "texts")
        yield MeanMetric(place, value_SN.astype(np.float64), np.ones(len(true_N)))
    if len(seeds[0].classes) == 2:
        place = Place("classification", "main", "auc", "texts")
        yield _area(place, p_SNC[:, :, 1], true_N == 1, row_N)


def means_by_unit(value_T: NDArray[np.float64], unit_T: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[U]`` mean over each unit's values; nan where it has none."""
    known_T = ~np.isnan(value_T)
    units = int(unit_T.max(initial=-1)) + 1
    total = np.bincount(unit_T[known_T], value_T[known_T], minlength=units)
    count = np.bincount(unit_T[known_T], minlength=units)
    mean_U: NDArray[np.float64] = np.divide(
        total, count, out=np.full(units, np.nan), where=count > 0
    )
    return mean_U


def _numbers(names: pl.Series) -> NDArray[np.int64]:
    """Distinct names numbered from 0, in their own order."""
    return names.rank("dense").cast(pl.Int64).to_numpy() - 1
