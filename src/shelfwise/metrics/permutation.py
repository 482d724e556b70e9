"""Paired permutation tests: would chance alone tell two systems this far apart? (Fisher, 1935)

If neither system were better, then which of the two gave which answer to a user would be a coin
flip. The test flips those coins many times and counts how often the difference comes out at least
as large as the one that was found. What is flipped is a whole user (query, request), never a row:
rows of one user resemble each other, and single flips would make p too small.

Shape suffixes in this file: U = users (or queries, requests); N = rows; D = draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, row_weights

_BLOCK_CELLS = 2_000_000  # coins in memory at a time, over all draws of a block
_ROUNDING = 1e-12  # a draw this close, relative to the sum of all, equals what was found


class PermutationTest(NamedTuple):
    difference: float
    p_value: float  # two-sided; nan where nothing can be compared
    support: int  # users compared; 0 means difference is nan
    draws: int  # ways of flipping that were looked at
    exact: bool  # every way was; p is then no estimate


NOTHING_TO_TEST = PermutationTest(float("nan"), float("nan"), 0, 0, False)


def sign_flip_test(
    difference_U: NDArray[np.floating],
    weight_U: NDArray[Any] | None = None,
    *,
    draws: int = 10_000,
    seed: int,
) -> PermutationTest:
    """How often a mean difference at least this far from 0 arises when each user's sign is a coin.

    All ways of flipping are enumerated where there are at most ``draws`` of them. Otherwise
    ``p = (1 + hits) / (1 + draws)``: what was found is itself one way, so p is never 0 and no
    test at level 5 % is wrong more often than that (Phipson and Smyth, 2010).

    Args:
        difference_U: ``[U]`` value of one system minus that of the other, nan where a user has
            none: such users are dropped.
        weight_U: ``[U]`` 0 or more, such as a user's rows; users of weight 0 are dropped.
        draws: random ways of flipping; at most so many are enumerated.
        seed: same seed, same users, same p.
    """
    require_one_per_row("sign_flip_test", difference_U)
    weight = row_weights("sign_flip_test", weight_U, len(difference_U))
    kept_U = ~np.isnan(difference_U) & (weight > 0)
    users = int(np.count_nonzero(kept_U))
    if users == 0:
        return NOTHING_TO_TEST
    part_U = weight[kept_U] * difference_U[kept_U].astype(np.float64)
    found = float(part_U.sum() / weight[kept_U].sum())
    moved_U = part_U[part_U != 0]  # 0 flips to 0
    edge = abs(part_U.sum()) - _ROUNDING * np.abs(part_U).sum()
    exact = _all_ways_are_within(draws, len(moved_U))
    hits = looked_at = 0
    for flipped_DU in _flips(len(moved_U), draws, exact, seed):
        sum_D = moved_U.sum() - 2 * (flipped_DU @ moved_U)
        hits += int(np.count_nonzero(np.abs(sum_D) >= edge))
        looked_at += len(sum_D)
    return PermutationTest(found, _p_value(hits, looked_at, exact), users, looked_at, exact)


def swap_test(
    difference: Callable[[NDArray[np.bool_]], float],
    group_N: NDArray[Any],
    *,
    draws: int = 1000,
    enough_hits: int | None = None,
    seed: int,
) -> PermutationTest:
    """The same for a metric that is no mean over users, such as AUC: answers change hands.

    Args:
        difference: how far the two systems lie apart once the predictions of the rows marked in
            ``swapped_N`` are exchanged. Called ``draws + 1`` times.
        group_N: ``[N]`` user or request of each row, in any order; swapped as a whole.
        draws: random ways of swapping; at most so many are enumerated.
        enough_hits: stop once so many draws were at least as far apart, with p = hits / draws so
            far (Besag and Clifford, 1991): a p that is plainly large needs no thousand draws.
        seed: same seed, same groups, same p.

    Returns:
        The difference as found, and its p. A draw without a value counts as a hit.
    """
    groups, group_index_N = np.unique(group_N, return_inverse=True)
    found = float(difference(np.zeros(len(group_N), dtype=bool)))
    if np.isnan(found):
        return NOTHING_TO_TEST
    edge = abs(found) * (1 - 1e-9)
    exact = _all_ways_are_within(draws, len(groups))
    hits = looked_at = 0
    for flipped_DU in _flips(len(groups), draws, exact, seed):
        for flipped_U in flipped_DU:
            hits += not abs(difference(flipped_U[group_index_N])) < edge
            looked_at += 1
            if not exact and hits == enough_hits:
                return PermutationTest(found, hits / looked_at, len(groups), looked_at, exact)
    return PermutationTest(found, _p_value(hits, looked_at, exact), len(groups), looked_at, exact)


def _all_ways_are_within(draws: int, users: int) -> bool:
    return users < 63 and 2**users <= draws


def _flips(users: int, draws: int, exact: bool, seed: int) -> Iterator[NDArray[np.bool_]]:
    """``[D, U]`` which users are flipped, in blocks; every way once where ``exact``."""
    random = np.random.default_rng(seed)
    total = 2**users if exact else draws
    step = max(1, _BLOCK_CELLS // max(users, 1))
    for start in range(0, total, step):
        way_D = np.arange(start, min(start + step, total))
        if exact:
            yield (way_D[:, None] >> np.arange(users)) & 1 == 1
        else:
            yield random.integers(2, size=(len(way_D), users), dtype=np.uint8) == 1


def _p_value(hits: int, looked_at: int, exact: bool) -> float:
    return hits / looked_at if exact else (1 + hits) / (1 + looked_at)
