"""Share of the relevant items that the first k places hold.

Shape suffixes in this file: U = users; P = ranked relevant pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.ranks import TiedRanks
from shelfwise.metrics.relevant import per_relevant_user, require_counted, require_cutoff


def recall_at_k(
    ranks: TiedRanks,
    user_P: NDArray[np.integer],
    relevant_U: NDArray[np.integer],
    k: int,
) -> NDArray[np.float64]:
    """``relevant items in the first k / relevant items``, for each user.

    The divisor is all relevant items, not ``min(relevant, k)``: a user with 20 of them can
    reach .5 at k = 10. Under ties an item counts with the share of its tie's places that
    lie within k, which is the exact expectation.

    Args:
        ranks: positions of the relevant pairs, from ``ranks_of_relevant``.
        user_P: ``[P]`` user of each pair, in any order.
        relevant_U: ``[U]`` relevant items of each user, ranked or not.
        k: places that count.

    Returns:
        ``[U]`` in [0, 1]; nan for a user without relevant items.
    """
    require_counted("recall_at_k", ranks, user_P, relevant_U)
    require_cutoff("recall_at_k", k)
    places_P = ranks.last_P - ranks.first_P + 1
    within_P = np.clip(k - ranks.first_P + 1, 0, places_P) / places_P
    found_U = np.bincount(user_P, within_P, minlength=len(relevant_U))
    return per_relevant_user(found_U, relevant_U, relevant_U)
