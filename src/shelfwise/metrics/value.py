"""What every metric answers: a number, and how much it rests on.

Shape suffixes in this file: U = groups (users, queries or requests).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class MetricValue(NamedTuple):
    value: float
    support: int  # rows or groups the value rests on; 0 means value is nan


NOTHING_TO_MEASURE = MetricValue(float("nan"), 0)


def mean_value(
    value_U: NDArray[np.floating], weight_U: NDArray[np.floating] | None = None
) -> MetricValue:
    """Weighted mean over the groups that have a value; ``support`` says how many did.

    Args:
        value_U: ``[U]`` nan where the group has none.
        weight_U: ``[U]`` 0 or more; every group counts the same where it is left out.
    """
    kept_U = ~np.isnan(value_U)
    if weight_U is not None:
        kept_U &= weight_U > 0
    support = int(np.count_nonzero(kept_U))
    if support == 0:
        return NOTHING_TO_MEASURE
    weights = None if weight_U is None else weight_U[kept_U].astype(np.float64)
    return MetricValue(
        float(np.average(value_U[kept_U].astype(np.float64), weights=weights)), support
    )


def ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    """``above / below``, place by place; nan where nothing stands below."""
    nothing = np.full(np.shape(above), np.nan)
    found: NDArray[np.float64] = np.divide(above, below, out=nothing, where=below > 0)
    return found
