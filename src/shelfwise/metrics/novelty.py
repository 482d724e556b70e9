"""How little known the items shown are (Zhou et al., 2010, arXiv:0808.2670).

Shape suffixes in this file: T = lists; K = places; V = items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.lists import mean_of_lists, require_lists


def novelty(
    top_TK: NDArray[np.integer], owners_V: NDArray[np.integer], owners: int
) -> NDArray[np.float64]:
    """Mean self-information of each list's items: ``-log2(share of owners who took it)``.

    In bits: 1 more says that half as many knew the items. An item that nobody took counts as
    taken by one, the least that was seen, since its information would be infinite.

    Args:
        top_TK: ``[T, K]`` items shown; -1 is an empty place.
        owners_V: ``[V]`` owners who took each item before the requests.
        owners: owners who took anything.

    Returns:
        ``[T]`` 0 or more; nan for an empty list.
    """
    require_lists("novelty", top_TK, len(owners_V))
    if len(owners_V) and not owners_V.max() <= owners:
        raise ValueError(f"novelty: {owners_V.max()} owners of an item, of {owners} in all")
    if owners == 0:
        return np.full(len(top_TK), np.nan)
    bits_V = -np.log2(np.maximum(owners_V, 1) / owners)
    return mean_of_lists(bits_V, top_TK)
