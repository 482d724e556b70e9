"""AUCs of two systems whose predictions change hands, for a permutation test.

Shape suffixes in this file: N = rows; M = rows of both systems in one column, sorted; P = positive
rows among these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_ordered, run_starts


@dataclass(frozen=True, slots=True)
class SwappedAuc:
    """AUC of ``a`` less that of ``b`` after any swap: both columns are sorted together, once.

    Which of two systems a prediction belongs to is all that a swap changes; the order of the
    predictions, and with it who beats whom, stays. A swap is then one running count.
    """

    row_M: NDArray[np.intp]
    is_a_M: NDArray[np.bool_]
    negative_M: NDArray[np.bool_]
    positive_P: NDArray[np.intp]  # places in M
    first_P: NDArray[np.intp]  # where the tie of each begins
    end_P: NDArray[np.intp]  # one past where it ends
    pairs: int  # positive and negative rows of one system

    @classmethod
    def of(
        cls, a_N: NDArray[np.floating], b_N: NDArray[np.floating], label_N: NDArray[np.bool_]
    ) -> SwappedAuc:
        require_one_per_row("swapped_auc", a_N, b_N, label_N)
        score_M = np.concatenate([a_N, b_N])
        require_ordered("swapped_auc", score_M)
        order_M = np.argsort(score_M, kind="stable")
        row_M = order_M % max(len(a_N), 1)
        label_M = label_N[row_M].astype(bool)
        start_T = run_starts(score_M[order_M])
        positive_P = np.flatnonzero(label_M)
        tie_P = np.searchsorted(start_T, positive_P, side="right") - 1
        positives = int(np.count_nonzero(label_N))
        return cls(
            row_M=row_M,
            is_a_M=order_M < len(a_N),
            negative_M=~label_M,
            positive_P=positive_P,
            first_P=start_T[tie_P],
            end_P=np.append(start_T, len(order_M))[tie_P + 1],
            pairs=positives * (len(label_N) - positives),
        )

    def __call__(self, swapped_N: NDArray[np.bool_]) -> float:
        """The difference once the predictions of swapped rows are exchanged; nan without pairs."""
        if self.pairs == 0:
            return float("nan")
        in_a_M = self.is_a_M ^ swapped_N[self.row_M]
        a_below = _running(in_a_M & self.negative_M)
        b_below = _running(self.negative_M) - a_below
        of_a_P = in_a_M[self.positive_P]
        return (self._wins(a_below, of_a_P) - self._wins(b_below, ~of_a_P)) / self.pairs

    def _wins(self, below: NDArray[Any], kept_P: NDArray[np.bool_]) -> float:
        """A positive beats the negatives below its tie, and half of those within it."""
        beaten_P = below[self.first_P[kept_P]] + below[self.end_P[kept_P]]
        return float(beaten_P.sum()) / 2


def _running(flag_M: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many are set before each place, and before the end."""
    found = np.zeros(len(flag_M) + 1, np.int64)
    np.cumsum(flag_M, out=found[1:])
    return found
