"""Whether shoppers are shown more popular items than they chose themselves.

Shape suffixes in this file: U = owners (or lists).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, row_weights
from shelfwise.metrics.value import NOTHING_TO_MEASURE, MetricValue


def popularity_lift(
    shown_U: NDArray[np.floating],
    past_U: NDArray[np.floating],
    weight_U: NDArray[Any] | None = None,
) -> MetricValue:
    """Mean popularity of what is shown over that of what the same owners took before.

    ``sum shown / sum past``, a ratio of means, as of group average popularity (Abdollahpouri
    et al., 2019, arXiv:1907.13286, who subtract 1). 1 keeps to the shoppers' own taste for
    hits, 2 shows items twice as popular. Owners without a past or a list are left out.

    Args:
        shown_U: ``[U]`` mean popularity of the items each owner is shown; nan where none.
        past_U: ``[U]`` mean popularity of the items in the owner's own past; nan where none.
        weight_U: ``[U]`` 0 or more.

    Returns:
        The ratio and the owners it rests on.
    """
    require_one_per_row("popularity_lift", shown_U, past_U)
    weight = row_weights("popularity_lift", weight_U, len(shown_U))
    kept_U = ~np.isnan(shown_U) & ~np.isnan(past_U) & (weight > 0)
    own = float(weight[kept_U] @ past_U[kept_U])
    if own == 0:
        return NOTHING_TO_MEASURE
    return MetricValue(float(weight[kept_U] @ shown_U[kept_U]) / own, int(kept_U.sum()))
