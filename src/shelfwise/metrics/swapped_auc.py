"""AUCs of two systems whose predictions change hands, for a permutation test.

Shape suffixes in this file: N = rows; X = positive or negative predictions of both systems.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_ordered


@dataclass(frozen=True, slots=True)
class SwappedAuc:
    """AUC of ``a`` less that of ``b`` after any swap, as a sum over rows.

    Put the predictions of both into one column. What the positives of both win over the negatives
    of ``a``, less what the positives of ``b`` win over the negatives of both, is what ``a`` wins
    less what ``b`` wins: the positives of ``b`` over the negatives of ``a`` stand in both. Either
    side is a sum over rows of ranks in that column, which no swap changes. Swapping a row turns
    round the sign of its part.
    """

    part_N: NDArray[np.float64]  # nan where there are no pairs

    @classmethod
    def of(
        cls, a_N: NDArray[np.floating], b_N: NDArray[np.floating], label_N: NDArray[np.bool_]
    ) -> SwappedAuc:
        require_one_per_row("swapped_auc", a_N, b_N, label_N)
        require_ordered("swapped_auc", np.concatenate([a_N, b_N]))
        is_positive_N = label_N.astype(bool)
        positives = int(np.count_nonzero(is_positive_N))
        pairs = positives * (len(label_N) - positives)
        if pairs == 0:
            return cls(np.full(len(label_N), np.nan))
        part_N = np.empty(len(label_N))
        # A positive counts by the negatives below it, a negative by the positives above it.
        for kind_N, sign in ((is_positive_N, 1), (~is_positive_N, -1)):
            other_X = np.sort(np.concatenate([a_N[~kind_N], b_N[~kind_N]]))
            below = [_below(other_X, p_N[kind_N]) for p_N in (a_N, b_N)]
            part_N[kind_N] = sign * (below[0] - below[1]) / 2
        return cls(part_N / pairs)

    def __call__(self, swapped_N: NDArray[np.bool_]) -> float:
        """The difference once the predictions of swapped rows are exchanged; nan without pairs."""
        if len(self.part_N) == 0:
            return float("nan")
        return float(np.where(swapped_N, -self.part_N, self.part_N).sum())


def _below(other_X: NDArray[np.floating], score: NDArray[np.floating]) -> NDArray[np.float64]:
    """How many of the others lie below each score, of equal ones half."""
    first = np.searchsorted(other_X, score, side="left")
    end = np.searchsorted(other_X, score, side="right")
    found: NDArray[np.float64] = (first + end) / 2
    return found
