"""A seller who writes what others search for behind his titles, to be found more often.

Shape suffixes in this file: T = targets, K = places, V = items.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.attacks.victim import Victim

_SELLERS_ITEMS = 50
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Push:
    """How much more often the seller's items are shown."""

    words: int  # written behind each title
    items: int
    requests: int
    before: int  # places among the first ones of all requests
    after: int

    @property
    def factor(self) -> float:
        """Places after over places before."""
        return self.after / self.before if self.before else float("nan")


def stuffing(victim: Victim) -> list[Push]:
    """Exposure of a seller's items in searches, with ever more words behind their titles; empty
    where too few searched."""
    targets = victim.searches
    if not victim.options.stuffed_words or len(targets) < _FEWEST or not victim.reads_titles:
        return []
    view = victim.view(targets)
    wanted = Counter(word for query in victim.typed(targets) for word in query.split())
    popular = [word for word, _ in wanted.most_common(max(victim.options.stuffed_words))]
    texts = victim.run.item_texts
    rng = np.random.default_rng(victim.options.seed)
    seller_S = rng.choice(len(texts), min(_SELLERS_ITEMS, len(texts)), replace=False)
    before = _exposure(victim.ranked(victim.scorer.match, targets, view).top_TK, seller_S)
    found = []
    for words in victim.options.stuffed_words:
        behind = " ".join(popular[:words])
        scorer = victim.with_titles({n: f"{texts[n]} {behind}" for n in seller_S.tolist()})
        top_TK = victim.ranked(scorer.match, targets, view).top_TK
        after = _exposure(top_TK, seller_S)
        found.append(Push(words, len(seller_S), len(targets), before, after))
    return found


def _exposure(top_TK: NDArray[np.int32], items: NDArray[np.int64]) -> int:
    return int(np.isin(top_TK, items).sum())
