"""What metrics over rows ask of their columns.

Shape suffixes in this file: N = rows; T = runs of equal neighbours in a sorted column.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray


def require_one_per_row(metric: str, *columns: Sized) -> None:
    """Raise ``ValueError`` where columns that describe the same rows differ in length."""
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"{metric} needs one value per row in each column, got lengths {lengths}")


def require_ordered(metric: str, score: NDArray[np.floating]) -> None:
    """Raise ``ValueError`` where a score is nan, which stands neither above nor below another."""
    unordered = int(np.count_nonzero(np.isnan(score)))
    if unordered:
        raise ValueError(f"{metric} cannot order nan: {unordered} of {score.size} scores are nan")


def require_probabilities(metric: str, p_N: NDArray[np.floating]) -> None:
    """Raise ``ValueError`` where a prediction lies outside [0, 1] or is nan."""
    outside_N = ~((p_N >= 0) & (p_N <= 1))
    if outside_N.any():
        raise ValueError(
            f"{metric} needs probabilities in [0, 1], got {p_N[outside_N][0]} "
            f"({int(np.count_nonzero(outside_N))} of {len(p_N)} rows outside)"
        )


def row_weights(metric: str, weight_N: NDArray[Any] | None, rows: int) -> NDArray[np.float64]:
    """The rows' weights in float64, 1 where none are given; never negative or nan."""
    if weight_N is None:
        return np.ones(rows)
    if len(weight_N) != rows:
        raise ValueError(f"{metric} needs one weight per row, got {len(weight_N)} for {rows} rows")
    if rows and not weight_N.min() >= 0:
        raise ValueError(f"{metric} needs weights of 0 or more, got {weight_N.min()}")
    return weight_N.astype(np.float64)


def run_starts(*sorted_columns: NDArray[Any]) -> NDArray[np.intp]:
    """Where the runs of equal rows begin, ``[T]``; a run ends where any of the columns changes."""
    changes_N = np.zeros(len(sorted_columns[0]), dtype=bool)
    changes_N[:1] = True
    for column in sorted_columns:
        changes_N[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changes_N)
