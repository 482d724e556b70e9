"""What a slice is judged by: a metric that any of the rows can be asked for.

Shape suffixes in this file: N = rows, K = rows of a slice, G = requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.slices.influence import (
    Estimate,
    auc_estimate,
    mean_estimate,
    ratio_estimate,
)
from shelfwise.metrics.grouped_auc import auc_by_group

Better = Literal["higher", "lower", "near 1"]
_SHORT = 1e-6


class Measure(Protocol):
    """A metric over rows, each of which belongs to a user."""

    @property
    def task(self) -> str: ...

    @property
    def metric(self) -> str: ...

    @property
    def better(self) -> Better: ...

    @property
    def owner_N(self) -> NDArray[np.int64]: ...  # noqa: N802  # shape suffix

    @property
    def positive_N(self) -> NDArray[np.bool_]: ...  # noqa: N802  # shape suffix

    def estimate(self, rows_K: NDArray[np.int64]) -> Estimate:
        """The metric over some rows, with the influence of each."""
        ...


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Probabilities beside what happened, judged by one metric."""

    task: str
    metric: Literal["auc", "gauc", "pcoc", "log_loss"]
    p_N: NDArray[np.floating[Any]]
    positive_N: NDArray[np.bool_]
    owner_N: NDArray[np.int64]
    request_N: NDArray[np.int64]

    @property
    def better(self) -> Better:
        """Which way the metric improves."""
        match self.metric:
            case "auc" | "gauc":
                return "higher"
            case "log_loss":
                return "lower"
            case "pcoc":
                return "near 1"

    def estimate(self, rows_K: NDArray[np.int64]) -> Estimate:
        """The metric over some rows, with the influence of each."""
        p_K, label_K = self.p_N[rows_K], self.positive_N[rows_K]
        match self.metric:
            case "auc":
                return auc_estimate(p_K, label_K)
            case "gauc":
                return _gauc(p_K, label_K, self.request_N[rows_K])
            case "pcoc":
                return ratio_estimate(p_K, label_K)
            case "log_loss":
                safe_K = p_K.astype(np.float64).clip(_SHORT, 1 - _SHORT)
                return mean_estimate(-np.log(np.where(label_K, safe_K, 1 - safe_K)))


def _gauc(
    p_K: NDArray[np.floating[Any]], label_K: NDArray[np.bool_], request_K: NDArray[np.int64]
) -> Estimate:
    """AUC of each request, weighted by its rows; its influence stands at its first row."""
    groups = auc_by_group(p_K, label_K, request_K)
    weight_G = np.where(np.isnan(groups.value_G), 0, groups.rows_G).astype(np.float64)
    influence_K = np.zeros(len(p_K))
    if weight_G.sum() == 0:
        return Estimate(float("nan"), influence_K)
    value_G = np.nan_to_num(groups.value_G)
    mean = float(weight_G @ value_G / weight_G.sum())
    _, first_G = np.unique(request_K, return_index=True)
    influence_K[first_G] = weight_G * (value_G - mean) / weight_G.sum()
    return Estimate(mean, influence_K)


@dataclass(frozen=True, slots=True)
class Values:
    """One value a row, averaged: NDCG of every request or owner."""

    task: str
    metric: str
    value_N: NDArray[np.float64]  # none of them nan
    owner_N: NDArray[np.int64]
    better: Better = "higher"

    @property
    def positive_N(self) -> NDArray[np.bool_]:  # noqa: N802  # shape suffix
        """Every row is one that something was right for."""
        return np.ones(len(self.value_N), np.bool_)

    def estimate(self, rows_K: NDArray[np.int64]) -> Estimate:
        """The mean of some rows, with the influence of each."""
        return mean_estimate(self.value_N[rows_K])


def forecast_measures(
    task: str,
    p_N: NDArray[np.floating[Any]],
    positive_N: NDArray[np.bool_],
    keys: tuple[NDArray[np.int64], NDArray[np.int64]],
    metrics: Sequence[Literal["auc", "gauc", "pcoc", "log_loss"]] = ("auc", "pcoc", "log_loss"),
) -> list[Forecasts]:
    """The same rows under several metrics; ``keys`` are owner and request of each row."""
    return [Forecasts(task, metric, p_N, positive_N, *keys) for metric in metrics]
