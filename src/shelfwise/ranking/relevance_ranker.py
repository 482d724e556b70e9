"""Searches answered from judgements alone: candidates by words and meaning, ordered by grade.

Shape suffixes in this file: V = items, N = candidates.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.config import ShopOptions
from shelfwise.data.prepared import item_of
from shelfwise.data.text import query_text
from shelfwise.ranking.config import RankOptions
from shelfwise.ranking.loaded_relevance import LoadedRelevance
from shelfwise.retrieval.fusion import best_first, reciprocal_rank_fusion
from shelfwise.retrieval.text_index import TextIndex
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import Surface
from shelfwise.schema.item import Item
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.ranking import Ranking, RankRequest, ScoredItem
from shelfwise.schema.run_files import MODEL


class RelevanceRanker:
    """Answers searches; of shoppers it knows nothing."""

    def __init__(self, run: LoadedRelevance, options: RankOptions) -> None:
        self.run = run
        self.options = options
        self.items = tuple(item_of(row) for row in run.items.iter_rows(named=True))
        self.number_of = {item.item_id: number for number, item in enumerate(self.items)}
        self.available_V = np.array([item.available for item in self.items])
        self.index = TextIndex(run.items["text"].to_list())

    @classmethod
    def load(cls, folder: Path, options: RankOptions | None = None) -> RelevanceRanker:
        """Open a run folder that holds a grader of texts."""
        manifest = open_sealed(folder, "run")
        return cls(LoadedRelevance(folder, manifest), options or RankOptions())

    @property
    def version(self) -> str:
        """Which run answers."""
        return self.run.manifest.sha256[MODEL][:12]

    @property
    def shop(self) -> ShopOptions:
        """Name, currency, and whether the data is synthetic."""
        return ShopOptions.model_validate(self.run.manifest.facts["data"]["shop"])

    def item(self, item_id: str) -> Item | None:
        """The catalogue's entry, or None."""
        number = self.number_of.get(item_id)
        return None if number is None else self.items[number]

    def rank(self, request: RankRequest) -> Ranking:
        """The items with the best grades for a query, best first; ``match`` is the grade.

        Raises:
            DataError: it is no search, or one without words.
        """
        words = query_text(request.query)
        if request.surface != Surface.SEARCH:
            raise DataError(
                f"{request.surface}: this run has learned from judgements of queries alone and "
                "answers searches; train on a log of events to recommend"
            )
        if not words:
            raise DataError("search: the query is empty; type what to look for")
        found_N = self._candidates(words)
        grade_N = self.run.grades([words], np.zeros(len(found_N), np.int64), found_N)
        best = np.argsort(-grade_N, kind="stable")[: request.k]
        scored = tuple(
            ScoredItem(self.items[found_N[place]], float(grade_N[place]), np.nan, np.nan)
            for place in best.tolist()
        )
        return Ranking(request.request_id, request.surface, scored, self.version)

    def _candidates(self, words: str) -> NDArray[np.int64]:
        """Items to grade; a cross-encoder, which has no vectors of items, finds by words alone."""
        k = self.options.candidates
        bm25_V = self.index.scores(words)
        by_words = best_first(bm25_V, k)
        rankings = [(self.options.words_weight, by_words[bm25_V[by_words] > 0])]
        if self.run.item_VD is not None:
            meaning_V = (self.run.item_VD @ self.run.encode_queries([words])[0]).numpy()
            rankings.append((self.options.meaning_weight, best_first(meaning_V, k)))
        fused_V = reciprocal_rank_fusion(rankings, len(self.items))
        fused_V = np.where(self.available_V, fused_V, 0)
        found_N = best_first(fused_V, k)
        return found_N[fused_V[found_N] > 0].astype(np.int64)
