"""BM25 of texts: items that share words with the query or, where none was typed, with the past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.past import past_items
from shelfwise.evaluation.baselines.role import Family, Learned
from shelfwise.evaluation.baselines.ties import rest_by_popularity
from shelfwise.retrieval.text_index import TextIndex


class LastTitles(NamedTuple):
    """How many of the shopper's last items are written down as the query."""

    items: int


SETTINGS = tuple(LastTitles(items) for items in (30, 1, 3, 10, 100))


class ShopWords(NamedTuple):
    """Words of a shop's items and queries; W = words of the items' texts."""

    weight_WV: sparse.csr_array  # what a word adds to an item's score
    title_VW: sparse.csr_array  # how often it stands in an item's title
    query_QW: sparse.csr_array  # ... in a query

    @classmethod
    def of(cls, prepared: PreparedShop) -> ShopWords:
        index = TextIndex(prepared.items["text"].to_list())
        return cls(
            index.word_weights(),
            index.word_counts(prepared.items["title"].fill_null("").to_list()),
            index.word_counts(prepared.queries["text"].to_list()),
        )


@dataclass(frozen=True, slots=True)
class SharedWords:
    """BM25 score of each item's text; popularity ranks those that share no word."""

    learned: Learned
    words: ShopWords
    last: LastTitles
    popularity_V: NDArray[np.float32]

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        past = past_items(self.learned.history, targets, rows).latest(self.last.items)
        query_B = targets.query_T[rows]
        own_BV = past.matrix((query_B < 0)[past.row_E].astype(np.float32), len(self.popularity_V))
        typed_B = np.flatnonzero(query_B >= 0)
        cells = (np.ones(len(typed_B), np.float32), (typed_B, query_B[typed_B]))
        shape = (len(rows), self.words.query_QW.shape[0])
        asked_BQ = sparse.coo_array(cells, shape=shape).tocsr()
        word_BW = own_BV @ self.words.title_VW + asked_BQ @ self.words.query_QW
        found_BV = (word_BW @ self.words.weight_WV).toarray().astype(np.float32)
        return rest_by_popularity(found_BV, self.popularity_V)


def shared_words(words: ShopWords) -> Family[LastTitles]:
    """A search by its query, anybody else by the titles of their last items."""

    def fit(learned: Learned, settings: Sequence[LastTitles]) -> Iterator[SharedWords]:
        for setting in settings:
            yield SharedWords(learned, words, setting, learned.taken.popularity())

    return Family("BM25 of texts", SETTINGS, fit)
