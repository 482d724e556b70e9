"""One over the position of the first relevant item.

Shape suffixes in this file: U = users; P = ranked relevant pairs; T = ties;
F = users with a ranked pair, whose first tie is meant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.ranks import TiedRanks
from shelfwise.metrics.relevant import per_relevant_user, require_counted, require_cutoff
from shelfwise.metrics.rows import run_starts


def reciprocal_rank_at_k(
    ranks: TiedRanks,
    user_P: NDArray[np.integer],
    relevant_U: NDArray[np.integer],
    k: int,
) -> NDArray[np.float64]:
    """``1 / r`` for each user, r the position of the first relevant item; 0 beyond place k.

    The mean over users is MRR@k; the size of the catalogue as k gives the uncut MRR. Under
    ties it is the exact expectation of ``1 / r`` over the orders of the tied items.

    Args:
        ranks: positions of the relevant pairs, from ``ranks_of_relevant``.
        user_P: ``[P]`` user of each pair, in any order.
        relevant_U: ``[U]`` relevant items of each user, ranked or not.
        k: places that count.

    Returns:
        ``[U]`` in [0, 1]; nan for a user without relevant items.
    """
    require_counted("reciprocal_rank_at_k", ranks, user_P, relevant_U)
    require_cutoff("reciprocal_rank_at_k", k)
    order_P = np.lexsort((ranks.first_P, user_P))
    user_by_order_P = user_P[order_P]
    start_T = run_starts(user_by_order_P, ranks.first_P[order_P])
    leads_T = np.isin(start_T, run_starts(user_by_order_P))
    tied_F = np.diff(start_T, append=len(user_P))[leads_T]
    leader_F = order_P[start_T[leads_T]]
    first_F = ranks.first_P[leader_F]
    places_F = ranks.last_P[leader_F] - first_F + 1

    value_U = np.zeros(len(relevant_U))
    value_U[user_P[leader_F]] = _expected_reciprocal(first_F, places_F, tied_F, k)
    return per_relevant_user(value_U, np.ones(len(relevant_U)), relevant_U)


def _expected_reciprocal(
    first_F: NDArray[np.int64], places_F: NDArray[np.int64], tied_F: NDArray[np.int64], k: int
) -> NDArray[np.float64]:
    """Mean of ``1 / r`` where ``tied`` relevant items fall at random on ``places`` places.

    The best of m items on n places stands at offset i with probability
    ``(m / (n-i)) * P(offset >= i)``, so one pass over the offsets adds the terms up.
    """
    value_F = np.zeros(len(first_F))
    not_yet_F = np.ones(len(first_F))
    # A user's offsets end at the last one his best item can have, or where k cuts.
    offsets_F = np.clip(np.minimum(places_F - tied_F, k - first_F) + 1, 0, None)
    longest_F = np.argsort(-offsets_F)
    for offset in range(int(offsets_F.max(initial=0))):
        alive = longest_F[: np.count_nonzero(offsets_F > offset)]
        here = not_yet_F[alive] * tied_F[alive] / (places_F[alive] - offset)
        value_F[alive] += here / (first_F[alive] + offset)
        not_yet_F[alive] -= here
    return value_F
