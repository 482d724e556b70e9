"""Percentile bootstrap intervals (Efron, 1979).

What is drawn again is the independent unit, a user, query or request, never a single row:
rows of one user resemble each other, and intervals over rows come out too narrow.

Shape suffixes in this file: U = users (or queries, requests); N = rows; D = draws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, row_weights
from shelfwise.metrics.value import mean_value

_BLOCK_CELLS = 2_000_000  # users drawn at a time, over all draws of a block


class Interval(NamedTuple):
    value: float
    low: float  # nan where fewer than two units were there to draw from
    high: float
    support: int  # units drawn from; 0 means value is nan


def bootstrap_interval(
    value_U: NDArray[np.floating],
    weight_U: NDArray[Any] | None = None,
    *,
    draws: int = 1000,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """The (weighted) mean over users and the range that other such users would give.

    Args:
        value_U: ``[U]`` one value per user, nan where there is none: such users are dropped.
        weight_U: ``[U]`` 0 or more, such as a group's rows for GAUC; users of weight 0 are
            dropped.
        draws: times that as many users are drawn again, with replacement.
        seed: same seed, same users, same draws.
        level: share of the draws' means that the range holds.
    """
    require_one_per_row("bootstrap_interval", value_U)
    weight = row_weights("bootstrap_interval", weight_U, len(value_U))
    kept_U = ~np.isnan(value_U) & (weight > 0)
    weight_kept = weight[kept_U]
    weighted_kept = weight_kept * value_U[kept_U]
    users = len(weight_kept)

    random = np.random.default_rng(seed)
    step = max(1, _BLOCK_CELLS // max(users, 1))
    mean_D = np.full(draws, np.nan)
    for start in range(0, draws if users else 0, step):
        drawn = random.integers(users, size=(min(step, draws - start), users))
        mean_D[start : start + step] = weighted_kept[drawn].sum(1) / weight_kept[drawn].sum(1)
    value, support = mean_value(value_U, weight)
    return _interval(value, mean_D, support, level)


def paired_interval(
    a_U: NDArray[np.floating],
    b_U: NDArray[np.floating],
    weight_U: NDArray[Any] | None = None,
    *,
    draws: int = 1000,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """How much better ``a`` is than ``b`` on the same users: the mean of ``a - b``.

    A range that excludes 0 tells two systems apart; two single intervals that overlap do
    not say that they are alike. A user with a value for one system alone is dropped.
    """
    require_one_per_row("paired_interval", a_U, b_U)
    return bootstrap_interval(a_U - b_U, weight_U, draws=draws, seed=seed, level=level)


def bootstrap_rows(
    metric: Callable[[NDArray[np.float64]], float],
    group_N: NDArray[Any],
    *,
    draws: int = 200,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """The range of a metric that is no mean over users, such as AUC, log loss or PCOC.

    Groups are drawn with replacement, and every row gets as weight how often its group was
    drawn. Two systems on the same rows are compared by a metric that returns a difference.
    A draw without a value (no positive row in it) is left out. Take care with metrics that
    noise can only raise, such as the calibration error: drawing again adds noise, and the
    range lies too high.

    Args:
        metric: the metric as a function of ``weight_N``; nan where it has no value. Called
            ``draws + 1`` times, so let it sort beforehand: ``SortedAuc.of(score, label)``.
        group_N: ``[N]`` user or request of each row, in any order.
        draws: times that as many groups are drawn again.
        seed: same seed, same groups, same draws.
        level: share of the draws' values that the range holds.

    Returns:
        The metric at weight 1, its range, and the number of groups.
    """
    groups, group_index_N = np.unique(group_N, return_inverse=True)
    value = float(metric(np.ones(len(group_N))))
    random = np.random.default_rng(seed)
    value_D = np.full(draws, np.nan)
    for draw in range(0 if np.isnan(value) else draws):
        drawn = random.integers(len(groups), size=len(groups))
        times = np.bincount(drawn, minlength=len(groups)).astype(np.float64)
        value_D[draw] = metric(times[group_index_N])
    return _interval(value, value_D, 0 if np.isnan(value) else len(groups), level)


def _interval(value: float, value_D: NDArray[np.float64], support: int, level: float) -> Interval:
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, got {level}")
    drawn = value_D[~np.isnan(value_D)]
    if support < 2 or len(drawn) == 0:
        return Interval(value, float("nan"), float("nan"), support)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), support)
