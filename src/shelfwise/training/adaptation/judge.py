"""Whether the encoder, by cosine alone, finds what shoppers of the validation part went on to take.

Shape suffixes in this file: A = texts asked about, P = (asked, right item) pairs, T = texts,
H = width, V = items.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.metrics.ranks import ranks_of_relevant
from shelfwise.metrics.recall import recall_at_k
from shelfwise.metrics.value import MetricValue, mean_value
from shelfwise.training.adaptation.pairs import TextPairs

PLACES = 20
_MOST_ASKED = 2_000
_ROWS = 256


class Questions(NamedTuple):
    """Texts, and the items that should be near each of them."""

    left_A: NDArray[np.int64]
    asked_P: NDArray[np.int64]  # rows of left_A; they rise
    right_P: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: TextPairs) -> Questions:
        """One question for each first text, at most 2,000, evenly spread."""
        both = np.stack([pairs.left_P, pairs.right_P])
        left_P, right_P = np.unique(both, axis=1) if both.size else both
        left = np.unique(left_P)
        spread = np.unique(np.linspace(0, len(left) - 1, _MOST_ASKED).astype(np.int64))
        left_A = left[spread] if len(left) else left
        inside = np.isin(left_P, left_A)
        return cls(left_A, np.searchsorted(left_A, left_P[inside]), right_P[inside])


@torch.no_grad()
def recall(questions: Questions, vectors_TH: Tensor, items: int) -> MetricValue:
    """Share of the right items among the 20 nearest, mean over the questions.

    All items are ranked but the one that is asked about.

    Args:
        questions: what is asked.
        vectors_TH: unit vectors of all texts, items first.
        items: V.
    """
    found: list[NDArray[np.float64]] = [np.empty(0)]
    asked = len(questions.left_A)
    for start in range(0, asked, _ROWS):
        rows = np.arange(start, min(start + _ROWS, asked))
        left = questions.left_A[rows]
        place = torch.from_numpy(left).to(vectors_TH.device)
        score = (vectors_TH[place] @ vectors_TH[:items].T).float().cpu().numpy()
        inside = slice(*np.searchsorted(questions.asked_P, [start, start + len(rows)]))
        row, item = questions.asked_P[inside] - start, questions.right_P[inside]
        itself = np.flatnonzero(left < items)
        ranks = ranks_of_relevant(score, row, item, itself, left[itself])
        relevant = np.bincount(row, minlength=len(rows))
        found.append(recall_at_k(ranks, row, relevant, PLACES))
    return mean_value(np.concatenate(found))
