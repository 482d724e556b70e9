"""Numbers of the groups that items belong to, counted up from what the catalogue holds.

Shape suffixes in this file: V = items, C = ways of grouping.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

GROUPINGS = ("category", "brand")  # columns of the items


def item_groups(items: pl.DataFrame) -> NDArray[np.int64]:
    """``[V, C]`` number of each item's group in each grouping, -1 where it has none.

    The same table gives the same numbers, whether it is the prepared one or that of a run.
    """
    return np.stack(
        [
            (items[name].rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()
            for name in GROUPINGS
        ],
        axis=1,
    )
