"""Metrics with the share that each row has in their error, so that any slice has an interval.

A metric's influence values say by how much it would move if a row counted a little more; their
sums over the rows of one user are independent of each other, and the sum of their squares is the
metric's variance (the infinitesimal jackknife, Efron 1982; for the AUC these are the structural
components of DeLong et al., 1988, clustered as in Obuchowski, 1997). One pass over the rows takes
the place of hundreds of bootstrap draws, which a search over thousands of slices could not afford.

Shape suffixes in this file: N = rows, U = users.
"""

from __future__ import annotations

from math import erfc, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.bootstrap import Interval

_Z = 1.959964  # of 95 %
_NAN = float("nan")
_SPARSE = (
    8  # numbers of users for each row, above which counting by number wastes more than sorting
)


class Estimate(NamedTuple):
    """A metric's value and each row's influence on it; the influences sum to 0."""

    value: float
    influence_N: NDArray[np.float64]


def mean_estimate(value_N: NDArray[np.floating[Any]]) -> Estimate:
    """The plain mean."""
    if len(value_N) == 0:
        return Estimate(_NAN, np.empty(0))
    mean = float(value_N.mean(dtype=np.float64))
    return Estimate(mean, (value_N - mean) / len(value_N))


def weighted_mean_estimate(value_N: NDArray[np.float64], weight_N: NDArray[np.float64]) -> Estimate:
    """The mean by weight, such as GAUC: AUC of each request, weighted by its rows."""
    total = float(weight_N.sum())
    if total == 0:
        return Estimate(_NAN, np.zeros(len(value_N)))
    mean = float(weight_N @ value_N / total)
    return Estimate(mean, weight_N * (value_N - mean) / total)


def ratio_estimate(
    top_N: NDArray[np.floating[Any]], bottom_N: NDArray[np.floating[Any] | np.bool_]
) -> Estimate:
    """``sum(top) / sum(bottom)``: PCOC, where predictions stand over labels."""
    below = float(bottom_N.sum(dtype=np.float64))
    if below == 0:
        return Estimate(_NAN, np.zeros(len(top_N)))
    ratio = float(top_N.sum(dtype=np.float64)) / below
    return Estimate(ratio, (top_N - ratio * bottom_N) / below)


def auc_estimate(score_N: NDArray[np.floating[Any]], label_N: NDArray[np.bool_]) -> Estimate:
    """Probability that a positive row outranks a negative one, ties counting one half."""
    positives = int(label_N.sum())
    negatives = len(label_N) - positives
    if positives == 0 or negatives == 0:
        return Estimate(_NAN, np.zeros(len(label_N)))
    above, below = np.sort(score_N[label_N]), np.sort(score_N[~label_N])
    influence_N = np.empty(len(label_N))
    beaten = _below(below, score_N[label_N]) / negatives
    area = float(beaten.mean())
    influence_N[label_N] = (beaten - area) / positives
    influence_N[~label_N] = (1 - _below(above, score_N[~label_N]) / positives - area) / negatives
    return Estimate(area, influence_N)


def _below(
    sorted_M: NDArray[np.floating[Any]], value_N: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """How many of the sorted numbers lie below each value, equal ones counting one half."""
    left = np.searchsorted(sorted_M, value_N, side="left")
    return (left + np.searchsorted(sorted_M, value_N, side="right")) / 2


def variance_of(influence_N: NDArray[np.float64], user_N: NDArray[np.int64]) -> float:
    """Of the metric, rows of one user moving together; nan below two users."""
    users = users_of(user_N)
    if users < 2:
        return _NAN
    if int(user_N.max()) > _SPARSE * len(user_N):
        user_N = np.unique(user_N, return_inverse=True)[1]
    sum_U = np.bincount(user_N, influence_N)
    return float(sum_U @ sum_U) * users / (users - 1)


def users_of(user_N: NDArray[np.int64]) -> int:
    """How many different users there are; counting is quicker than sorting where they are dense."""
    if len(user_N) == 0:
        return 0
    if int(user_N.max()) > _SPARSE * len(user_N):
        return len(np.unique(user_N))
    return int(np.count_nonzero(np.bincount(user_N)))


def interval_of(estimate: Estimate, user_N: NDArray[np.int64]) -> Interval:
    """The metric with its 95 % interval; support counts users."""
    users = users_of(user_N)
    if np.isnan(estimate.value):
        return Interval(_NAN, _NAN, _NAN, 0)
    error = sqrt(variance_of(estimate.influence_N, user_N))
    return Interval(estimate.value, estimate.value - _Z * error, estimate.value + _Z * error, users)


class Gap(NamedTuple):
    """How much larger one metric is than another; the same users may stand behind both."""

    value: float
    low: float
    high: float
    support: int  # users of either side
    p_value: float  # two-sided, of no gap

    @property
    def interval(self) -> Interval:
        return Interval(self.value, self.low, self.high, self.support)


def gap_of(
    one: Estimate,
    one_user: NDArray[np.int64],
    other: Estimate,
    other_user: NDArray[np.int64],
) -> Gap:
    """``one - other``: rows of either side may be the same rows, other rows, or other users'."""
    value = one.value - other.value
    user_N = np.concatenate([one_user, other_user])
    if np.isnan(value):
        return Gap(_NAN, _NAN, _NAN, 0, _NAN)
    influence_N = np.concatenate([one.influence_N, -other.influence_N])
    error = sqrt(variance_of(influence_N, user_N))
    p_value = erfc(abs(value) / error / sqrt(2)) if error > 0 else float(value == 0)
    users = users_of(user_N)
    return Gap(value, value - _Z * error, value + _Z * error, users, p_value)
