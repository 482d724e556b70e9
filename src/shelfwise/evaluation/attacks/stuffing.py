"""A seller who writes what others search for behind his titles, to be found more often.

Shape suffixes in this file: T = targets, K = places, V = items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.config import TextOptions
from shelfwise.data.text import item_text
from shelfwise.evaluation.attacks.victim import Victim
from shelfwise.schema.item import Item

_SELLERS_ITEMS = 50
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Push:
    """How much more often the seller's items are shown."""

    words: int  # written behind each title; fewer than asked for where no more were searched
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
    items = victim.run.items
    rng = np.random.default_rng(victim.options.seed)
    seller_S = rng.choice(len(items), min(_SELLERS_ITEMS, len(items)), replace=False)
    before = _exposure(victim.ranked(victim.scorer.match, targets, view).top_TK, seller_S)
    found = []
    for words in victim.options.stuffed_words:
        behind = popular[:words]
        scorer = victim.with_titles(
            {n: _stuffed(items[n], behind, victim.run.data.text) for n in seller_S.tolist()}
        )
        top_TK = victim.ranked(scorer.match, targets, view).top_TK
        after = _exposure(top_TK, seller_S)
        found.append(Push(len(behind), len(seller_S), len(targets), before, after))
    return found


def _stuffed(item: Item, words: Sequence[str], options: TextOptions) -> str:
    """The item's text with ``words`` behind its title, where the model reads that at all."""
    title = " ".join([item.title, *words])
    return item_text(replace(item, title=title), options)


def _exposure(top_TK: NDArray[np.int32], items: NDArray[np.int64]) -> int:
    return int(np.isin(top_TK, items).sum())
