"""Average precision of the first k places (AP@k); its mean over users is MAP@k.

Shape suffixes in this file: U = users; P = ranked relevant pairs; T = ties of one user.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.ranks import TiedRanks
from shelfwise.metrics.relevant import per_relevant_user, require_counted, require_cutoff
from shelfwise.metrics.rows import run_starts


def average_precision_at_k(
    ranks: TiedRanks,
    user_P: NDArray[np.integer],
    relevant_U: NDArray[np.integer],
    k: int,
) -> NDArray[np.float64]:
    """Precision down to each relevant item of the first k places, summed over what could be.

    ``sum over places r <= k that hold a relevant item of (relevant items in the first r) / r``,
    divided by ``min(relevant, k)``, so that a ranking with all it can hold at its top has 1.
    (trec_eval's ``map_cut`` divides by all relevant items.) Under ties it is the exact
    expectation over the orders of the tied items.

    Args:
        ranks: positions of the relevant pairs, from ``ranks_of_relevant``.
        user_P: ``[P]`` user of each pair, in any order.
        relevant_U: ``[U]`` relevant items of each user, ranked or not.
        k: places that count.

    Returns:
        ``[U]`` in [0, 1]; nan for a user without relevant items.
    """
    require_counted("average_precision_at_k", ranks, user_P, relevant_U)
    require_cutoff("average_precision_at_k", k)
    order_P = np.lexsort((ranks.first_P, user_P))
    user_by_order_P, first_by_order_P = user_P[order_P], ranks.first_P[order_P]
    start_T = run_starts(user_by_order_P, first_by_order_P)
    user_T, first_T = user_by_order_P[start_T], first_by_order_P[start_T]
    tied_T = np.diff(start_T, append=len(user_P))
    # Relevant items of the user that stand above the tie.
    own_start_T = start_T[np.searchsorted(user_T, user_T)] if len(user_T) else start_T
    above_T = start_T - own_start_T

    gain_T = _expected_precisions(first_T, ranks.last_P[order_P][start_T], tied_T, above_T, k)
    gain_U = np.bincount(user_T, gain_T, minlength=len(relevant_U))
    return per_relevant_user(gain_U, np.minimum(relevant_U, k), relevant_U)


def _expected_precisions(
    first_T: NDArray[np.int64],
    last_T: NDArray[np.int64],
    tied_T: NDArray[np.int64],
    above_T: NDArray[np.int64],
    k: int,
) -> NDArray[np.float64]:
    """Sum of precisions that a tie of n places with m relevant items adds within k.

    Place r holds a relevant item with probability m/n, and then each of the r - first places
    of the tie before it with probability q = (m-1)/(n-1): in the mean the place adds
    ``m/n * (above + 1 + q (r - first)) / r``, whose sum over r needs harmonic numbers alone.
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, k + 1))])
    end_T = np.minimum(last_T, k)
    inside_T = np.maximum(end_T - first_T + 1, 0)
    reciprocal_T = harmonic[end_T] - harmonic[np.minimum(first_T - 1, end_T)]
    places_T = last_T - first_T + 1
    q_T = (tied_T - 1) / np.maximum(places_T - 1, 1)
    found_T = (above_T + 1 - q_T * first_T) * reciprocal_T + q_T * inside_T
    expected: NDArray[np.float64] = np.where(inside_T > 0, tied_T / places_T * found_T, 0.0)
    return expected
