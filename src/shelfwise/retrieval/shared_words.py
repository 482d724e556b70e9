"""The words that queries and items share, as a network is told them: pair by pair, near 1 in size.

Shape suffixes: N = pairs, F = figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.retrieval.word_figures import WORD_FIGURES, WordFigures

# Numbers of words come in handfuls and BM25 in tens; shares are as they are.
_UNITS = {"words shared": 5, "bm25": 10, "words of the query": 5, "words of the title": 10}
_UNIT_F = np.array([_UNITS.get(name, 1) for name in WORD_FIGURES])


def figures_of_words(queries: int) -> int:
    """How many figures a network is told of shared words, where so many queries are known."""
    return len(WORD_FIGURES) if queries else 0


@dataclass(frozen=True, slots=True)
class SharedWords:
    """Some queries beside a whole catalogue."""

    items: WordFigures
    queries: Sequence[str]

    @classmethod
    def of(cls, items: Sequence[str], queries: Sequence[str]) -> SharedWords | None:
        """None where nobody ever typed anything."""
        return cls(WordFigures(items), queries) if queries else None

    def chosen(self, numbers: Sequence[int]) -> SharedWords:
        """Some of the queries, in the order given."""
        return SharedWords(self.items, [self.queries[number] for number in numbers])

    def __call__(
        self, query_N: NDArray[np.int64], item_N: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """``[N, F]`` figures of each pair; zeros where nothing was typed (-1)."""
        found_NF = np.zeros((len(query_N), len(WORD_FIGURES)), np.float32)
        asked_N = query_N >= 0
        if asked_N.any():
            figures = self.items.of(self.queries, query_N[asked_N], item_N[asked_N])
            found_NF[asked_N] = figures / _UNIT_F
        return found_NF
