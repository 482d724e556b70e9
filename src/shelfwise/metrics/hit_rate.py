"""Whether the first k places hold anything relevant.

Shape suffixes in this file: U = users; P = ranked relevant pairs; T = ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.ranks import TiedRanks
from shelfwise.metrics.relevant import per_relevant_user, require_counted, require_cutoff
from shelfwise.metrics.rows import run_starts


def hit_rate_at_k(
    ranks: TiedRanks,
    user_P: NDArray[np.integer],
    relevant_U: NDArray[np.integer],
    k: int,
) -> NDArray[np.float64]:
    """Probability that a relevant item stands in each user's first k places.

    It is 0 or 1 without ties. A tie of n places, t of them within k, that holds m relevant
    items misses with probability ``C(n-t, m) / C(n, m)``, the exact expectation.

    Args:
        ranks: positions of the relevant pairs, from ``ranks_of_relevant``.
        user_P: ``[P]`` user of each pair, in any order.
        relevant_U: ``[U]`` relevant items of each user, ranked or not.
        k: places that count.

    Returns:
        ``[U]`` in [0, 1]; nan for a user without relevant items.
    """
    require_counted("hit_rate_at_k", ranks, user_P, relevant_U)
    require_cutoff("hit_rate_at_k", k)
    places_P = ranks.last_P - ranks.first_P + 1
    within_P = np.clip(k - ranks.first_P + 1, 0, places_P)
    # C(n-t, m) / C(n, m) is the product over j < m of (n-t-j) / (n-j): the j-th relevant
    # item misses too. A tie wholly within k has t = n and gives 0, one beyond k gives 1.
    placed_P = _place_among_tied(ranks, user_P)
    miss_P = np.maximum(places_P - within_P - placed_P, 0) / (places_P - placed_P)
    miss_U = np.ones(len(relevant_U))
    np.multiply.at(miss_U, user_P, miss_P)
    return per_relevant_user(1 - miss_U, np.ones(len(relevant_U)), relevant_U)


def _place_among_tied(ranks: TiedRanks, user_P: NDArray[np.integer]) -> NDArray[np.int64]:
    """0, 1, 2, ... for the relevant items of one user that share a tie, in any order."""
    order_P = np.lexsort((ranks.first_P, user_P))
    start_T = run_starts(user_P[order_P], ranks.first_P[order_P])
    place_P = np.empty(len(user_P), dtype=np.int64)
    place_P[order_P] = np.arange(len(user_P)) - np.repeat(
        start_T, np.diff(start_T, append=len(user_P))
    )
    return place_P
