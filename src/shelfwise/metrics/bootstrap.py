"""Bootstrap intervals that hold the truth as often as they say, with few users as well.

What is drawn again is the independent unit, a user, query or request, never a single row:
rows of one user resemble each other, and intervals over rows come out too narrow.

The plain percentile interval (Efron, 1979) is too narrow too, with 40 users of a skewed metric
such as NDCG it holds the truth in 91 % instead of 95 %. So its levels are widened for small
samples as Student's t widens the normal law (Hesterberg, 2015, arXiv:1411.5279, section 5.3),
and where a user's influence is known they are moved for bias and skewness (BCa; Efron, 1987).
How small a sample is, is told by its effective number of users, ``(sum w)^2 / sum w^2`` with w
the rows or weight of each (Kish, 1965): where a few users fill the log, few were seen.

Shape suffixes in this file: U = users (or queries, requests); N = rows; D = draws; S = sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

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
    influence = weighted_kept - weight_kept * value
    found = _Drawn(mean_D, _effective(weight_kept), _acceleration(influence))
    return found.interval(value, support, level)


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


def bootstrap_sums(
    metric: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    column_NS: NDArray[np.floating],
    group_N: NDArray[Any],
    *,
    rows_N: NDArray[Any] | None = None,
    draws: int = 1000,
    seed: int,
) -> Interval:
    """The 95 % range of a metric that follows from sums over rows, such as log loss, PCOC or F1.

    Rows are added up once for each group; a draw then costs one pass over the groups, not
    over the rows. Otherwise as `bootstrap_rows`, with the same groups drawn for a seed.

    Args:
        metric: ``[D, S]`` sums to ``[D]`` values, nan where there is none.
        column_NS: ``[N, S]`` what to add up.
        group_N: ``[N]`` user or request of each row, in any order.
        rows_N: ``[N]`` how many rows were added up in each already; 1 unless given.
        draws: times that as many groups are drawn again.
        seed: same seed, same groups, same draws.

    Returns:
        The metric of all rows, its range, and the number of groups.
    """
    require_one_per_row("bootstrap_sums", column_NS, group_N)
    groups, index_N = np.unique(group_N, return_inverse=True)
    size = len(groups)
    columns = [np.bincount(index_N, column, minlength=size) for column in column_NS.T]
    sum_US = np.stack(columns, axis=1).astype(np.float64)
    total_S = sum_US.sum(axis=0)
    value = float(metric(total_S[None])[0]) if size else float("nan")
    if np.isnan(value):
        return Interval(value, float("nan"), float("nan"), 0)
    random = np.random.default_rng(seed)
    step = max(1, _BLOCK_CELLS // size)
    value_D = np.empty(draws)
    for start in range(0, draws, step):
        drawn = random.integers(size, size=(min(step, draws - start), size))
        times = np.stack([np.bincount(one, minlength=size) for one in drawn])
        value_D[start : start + len(drawn)] = metric(times @ sum_US)
    without_U = metric(total_S - sum_US)
    known = without_U[~np.isnan(without_U)]
    influence = known.mean() - known if len(known) else known
    rows_U = np.bincount(index_N, rows_N, minlength=size).astype(np.float64)
    return _Drawn(value_D, _effective(rows_U), _acceleration(influence)).interval(value, size, 0.95)


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
    found = _Drawn(value_D, _effective(np.bincount(group_index_N).astype(np.float64)), None)
    return found.interval(value, 0 if np.isnan(value) else len(groups), level)


def _acceleration(influence_U: NDArray[np.float64]) -> float:
    """How the spread of a metric grows with its value: a sixth of the influences' skewness."""
    spread = float(influence_U @ influence_U)
    return float((influence_U**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0


def _effective(weight_U: NDArray[np.float64]) -> float:
    """As many users of equal weight would say as much as these."""
    squares = float(weight_U @ weight_U)
    return float(weight_U.sum()) ** 2 / squares if squares > 0 else 0.0


class _Drawn(NamedTuple):
    """Values of a metric on users drawn again."""

    value_D: NDArray[np.float64]
    effective: float
    acceleration: float | None  # None: not known, so bias and skewness stay as they are

    def interval(self, value: float, support: int, level: float) -> Interval:
        if not 0 < level < 1:
            raise ValueError(f"the level of an interval lies between 0 and 1, got {level}")
        drawn = self.value_D[~np.isnan(self.value_D)]
        if support < 2 or len(drawn) == 0:
            return Interval(value, float("nan"), float("nan"), support)
        users = max(self.effective, 2.0)
        quantile = stdtrit(users - 1, (1 - level) / 2) * np.sqrt(users / (users - 1))
        z = np.array([quantile, -quantile])
        if self.acceleration is not None:
            z = _moved(z, drawn, value, self.acceleration)
        low, high = np.quantile(drawn, ndtr(z))
        return Interval(value, float(low), float(high), support)


def _moved(
    z: NDArray[np.float64], drawn: NDArray[np.float64], value: float, acceleration: float
) -> NDArray[np.float64]:
    """The levels of BCa, as quantiles of the normal law."""
    below = ((drawn < value).mean() + (drawn <= value).mean()) / 2
    bias = ndtri(np.clip(below, 1 / len(drawn), 1 - 1 / len(drawn)))
    stretch = 1 - acceleration * (bias + z)
    # Past its pole the corrected level is that of the outermost draw.
    found: NDArray[np.float64] = np.where(
        stretch > 0, bias + (bias + z) / np.where(stretch > 0, stretch, 1), z * np.inf
    )
    return found
