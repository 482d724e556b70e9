"""Calibration errors of two systems whose predictions change hands, for a permutation test.

Shape suffixes in this file: N = rows; M = rows of both systems in one column, sorted; T = distinct
predictions among these; K = bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.rows import require_one_per_row, require_probabilities, run_starts


@dataclass(frozen=True, slots=True)
class SwappedCalibrationError:
    """ECE of ``a`` less that of ``b`` after any swap, as ``calibration_error`` has it.

    Bins of equal mass are stretches of the sorted predictions, so a bin's sums are differences of
    running sums; those of ``b`` are what ``a`` leaves of the running sums of both.
    """

    row_M: NDArray[np.intp]
    is_a_M: NDArray[np.bool_]
    p_M: NDArray[np.float64]
    label_M: NDArray[np.bool_]
    edge_T1: NDArray[np.intp]  # where each distinct prediction begins, and the end
    whole: tuple[NDArray[Any], NDArray[Any], NDArray[Any]]  # running rows, predictions, positives
    bins: int

    @classmethod
    def of(
        cls,
        a_N: NDArray[np.floating],
        b_N: NDArray[np.floating],
        label_N: NDArray[np.bool_],
        bins: int = 20,
    ) -> SwappedCalibrationError:
        require_one_per_row("swapped_calibration_error", a_N, b_N, label_N)
        both_M = np.concatenate([a_N, b_N]).astype(np.float64)
        require_probabilities("swapped_calibration_error", both_M)
        order_M = np.argsort(both_M, kind="stable")
        row_M, p_M = order_M % max(len(a_N), 1), both_M[order_M]
        label_M = label_N[row_M].astype(bool)
        edge_T1 = np.append(run_starts(p_M), len(p_M))
        whole = (np.arange(len(p_M) + 1), _running(p_M), _running(label_M))
        return cls(row_M, order_M < len(a_N), p_M, label_M, edge_T1, whole, bins)

    def __call__(self, swapped_N: NDArray[np.bool_]) -> float:
        """The difference once the predictions of swapped rows are exchanged; nan without rows."""
        if len(self.row_M) == 0:
            return float("nan")
        in_a_M = self.is_a_M ^ swapped_N[self.row_M]
        of_a = (_running(in_a_M), _running(in_a_M * self.p_M), _running(in_a_M & self.label_M))
        rows, promised, came = self.whole
        of_b = (rows - of_a[0], promised - of_a[1], came - of_a[2])
        return self._error(*of_a) - self._error(*of_b)

    def _error(self, rows: NDArray[Any], promised: NDArray[Any], came: NDArray[Any]) -> float:
        """Mean over rows of how far their bin's promises lie from what came."""
        until_T1 = rows[self.edge_T1]
        total = until_T1[-1]
        # Equal predictions share the bin of their middle.
        middle_T = (until_T1[:-1] + until_T1[1:]) / 2 / total * self.bins
        first_K = np.searchsorted(middle_T, np.arange(1, self.bins))
        edge = self.edge_T1[np.concatenate([[0], first_K, [len(middle_T)]])]
        return float(np.abs(np.diff(promised[edge] - came[edge])).sum() / total)


def _running(value_M: NDArray[Any]) -> NDArray[Any]:
    """Sums of all before each place, and of all."""
    exact = np.int64 if value_M.dtype == np.bool_ else np.float64
    found = np.zeros(len(value_M) + 1, exact)
    np.cumsum(value_M, out=found[1:])
    return found
