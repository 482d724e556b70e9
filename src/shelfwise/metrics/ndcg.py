"""Normalised discounted cumulative gain with binary relevance (Järvelin and Kekäläinen, 2002).

Shape suffixes in this file: U = users; P = ranked relevant pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.ranks import TiedRanks
from shelfwise.metrics.relevant import per_relevant_user, require_counted, require_cutoff


def ndcg_at_k(
    ranks: TiedRanks,
    user_P: NDArray[np.integer],
    relevant_U: NDArray[np.integer],
    k: int,
) -> NDArray[np.float64]:
    """How much of the best possible ranking's discounted gain each user's first k places hold.

    A relevant item at position r <= k gains ``1 / log2(1 + r)``; the sum is divided by that
    of a ranking that puts ``min(relevant, k)`` relevant items first. Under ties an item gains
    the mean over the positions that its tie fills, which is the exact expectation
    (McSherry and Najork, 2008). ``mean_value`` turns the result into one number.

    Args:
        ranks: positions of the relevant pairs, from ``ranks_of_relevant``.
        user_P: ``[P]`` user of each pair, in any order.
        relevant_U: ``[U]`` relevant items of each user, ranked or not.
        k: places that count.

    Returns:
        ``[U]`` in [0, 1]; nan for a user without relevant items.
    """
    require_counted("ndcg_at_k", ranks, user_P, relevant_U)
    require_cutoff("ndcg_at_k", k)
    # gain_of_first[n] is the gain of relevant items at each of the first n places.
    gain_of_first = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    within_P = gain_of_first[np.minimum(ranks.last_P, k)]
    before_P = gain_of_first[np.minimum(ranks.first_P - 1, k)]
    gain_P = (within_P - before_P) / (ranks.last_P - ranks.first_P + 1)

    gain_U = np.bincount(user_P, gain_P, minlength=len(relevant_U))
    return per_relevant_user(gain_U, gain_of_first[np.minimum(relevant_U, k)], relevant_U)
