"""How often each of many things had happened to each of many keys before a moment.

Cells exist only where something happened, so a catalogue of a million items over years costs what
its log costs, and every count is one binary search away.

Shape suffixes in this file: E = events of one kind, C = cells, K = keys, N = rows, B = behaviours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Happened(NamedTuple):
    """Events of one kind: whose they are, and the step of time they fall in; both from 0."""

    key_E: NDArray[np.integer[Any]]
    step_E: NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts up to each cell, of its key; cells are sorted by key, then step of time."""

    stride: int  # a cell's number is key * stride + step
    cell_C: NDArray[np.int64]
    begin_K1: NDArray[np.int64]  # cells of key k: begin[k] to begin[k + 1]
    count_CB: NDArray[np.float32]  # row c + 1: up to cell c; row 0: nothing yet

    @classmethod
    def of(cls, kinds: Sequence[Happened], keys: int, steps: int) -> Tally:
        """Count each kind's events; their steps are below ``steps``."""
        stride = steps + 1  # a row may ask for what came before the end
        found = [
            distinct(kind.key_E.astype(np.int64) * stride + kind.step_E.astype(np.int64))
            for kind in kinds
        ]
        cell_C, _ = distinct(np.concatenate([cells for cells, _ in found]))
        begin_K1 = np.searchsorted(cell_C, np.arange(keys + 1) * stride)
        count_CB = np.zeros((len(cell_C) + 1, len(kinds)), np.float32)
        events_K = np.diff(begin_K1)
        for kind, (cells, counts) in enumerate(found):
            total_C1 = np.zeros(len(cell_C) + 1, np.int64)
            total_C1[np.searchsorted(cell_C, cells) + 1] = counts
            total_C1.cumsum(out=total_C1)
            # What was counted before a key's first cell is of other keys.
            count_CB[1:, kind] = total_C1[1:] - np.repeat(total_C1[begin_K1[:-1]], events_K)
        return cls(stride, cell_C, begin_K1, count_CB)

    def before(
        self, key_N: NDArray[np.integer[Any]], step_N: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """``[N, B]`` what had happened to each row's key (-1: none) in steps before its own."""
        known_N = key_N >= 0
        safe_N = np.where(known_N, key_N, 0).astype(np.int64)
        wanted_N = safe_N * self.stride + step_N.clip(0, self.stride - 1)
        end_N = np.searchsorted(self.cell_C, wanted_N)
        any_N = known_N & (end_N > self.begin_K1[safe_N])
        return self.count_CB[np.where(any_N, end_N, 0)]


def distinct(value_E: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct values in order, and how often each is there.

    As `numpy.unique`, whose hash table takes far longer than to sort.
    """
    sorted_E = np.sort(value_E)
    begin_D = np.flatnonzero(np.append(True, sorted_E[1:] != sorted_E[:-1])[: len(sorted_E)])
    return sorted_E[begin_D], np.diff(np.append(begin_D, len(sorted_E)))
