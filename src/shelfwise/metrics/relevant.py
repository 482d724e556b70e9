"""The relevant items of each user, as the ranking metrics count them.

Shape suffixes in this file: U = users; P = ranked relevant pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.ranks import TiedRanks
from shelfwise.metrics.rows import require_one_per_row


def require_counted(
    metric: str,
    ranks: TiedRanks,
    user_P: NDArray[np.integer],
    relevant_U: NDArray[np.integer],
) -> None:
    """Raise ``ValueError`` where pairs do not fit the users or exceed their relevant items.

    Fewer pairs than relevant items are fine: a relevant item that is not in the catalogue
    has no rank, and counts as never found.
    """
    require_one_per_row(metric, ranks.first_P, ranks.last_P, user_P)
    if len(user_P) and not (user_P.min() >= 0 and user_P.max() < len(relevant_U)):
        raise ValueError(
            f"{metric}: user {user_P.min()}..{user_P.max()} outside the {len(relevant_U)} counted"
        )
    ranked_U = np.bincount(user_P, minlength=len(relevant_U))
    over = np.flatnonzero(ranked_U > relevant_U)
    if len(over):
        raise ValueError(
            f"{metric}: user {over[0]} has {ranked_U[over[0]]} ranked items but "
            f"{relevant_U[over[0]]} relevant ones"
        )


def require_cutoff(metric: str, k: int) -> None:
    """Raise ``ValueError`` where a list would be cut before its first place."""
    if k < 1:
        raise ValueError(f"{metric} needs k of at least 1, got {k}")


def per_relevant_user(
    total_U: NDArray[Any], divisor_U: NDArray[Any], relevant_U: NDArray[np.integer]
) -> NDArray[np.float64]:
    """``total / divisor`` for users with something relevant, nan for the others."""
    value_U = np.full(len(relevant_U), np.nan)
    np.divide(total_U, divisor_U, out=value_U, where=relevant_U > 0)
    return value_U
