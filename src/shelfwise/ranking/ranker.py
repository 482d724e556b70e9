"""A request answered: retrieve candidates, score them, order them by a policy.

Shape suffixes in this file: V = items, N = candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.config import ShopOptions
from shelfwise.data.history import KINDS, NONE, History, HistoryWindow, window
from shelfwise.data.split import microseconds
from shelfwise.data.text import query_text
from shelfwise.models.catalogue import Catalogue
from shelfwise.models.inference import match_scores
from shelfwise.models.inputs import Asked, as_requests
from shelfwise.models.requests import SURFACES
from shelfwise.ranking.config import RankOptions
from shelfwise.ranking.loaded_run import LoadedRun, open_run
from shelfwise.ranking.policy import (
    ByCostPerMille,
    ByExpectedRevenue,
    ByRelevance,
    Policy,
    order,
    second_price,
)
from shelfwise.retrieval.fusion import best_first, reciprocal_rank_fusion
from shelfwise.retrieval.text_index import TextIndex
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import Event, Surface
from shelfwise.schema.item import Item
from shelfwise.schema.manifest import fingerprint_of
from shelfwise.schema.ranking import Ranking, RankRequest, ScoredItem
from shelfwise.schema.run_files import CALIBRATION, MODEL


class Ranker:
    """Answers search, recommendation and ad requests from one run."""

    def __init__(self, run: LoadedRun, options: RankOptions) -> None:
        self.run = run
        self.options = options
        self.index = TextIndex(run.item_texts)
        self.available_V = np.array([item.available for item in run.items])
        # One offer an item: the highest bid.
        offers = sorted(run.campaigns, key=lambda campaign: campaign.bid)
        self.offers = {o.item_id: o for o in offers if o.item_id in run.number_of}

    @classmethod
    def load(cls, folder: Path, options: RankOptions | None = None) -> Ranker:
        """Open a run folder; see `open_run` for what is refused."""
        return cls(open_run(folder), options or RankOptions())

    @property
    def version(self) -> str:
        """Which run answers: it changes with its network and with its calibration."""
        digests = self.run.manifest.sha256
        return fingerprint_of({n: digests[n] for n in (MODEL, CALIBRATION) if n in digests})[:12]

    @property
    def shop(self) -> ShopOptions:
        """Name, currency, and whether the log is synthetic."""
        return self.run.data.shop

    def item(self, item_id: str) -> Item | None:
        """The catalogue's entry, or None."""
        number = self.run.number_of.get(item_id)
        return None if number is None else self.run.items[number]

    def rank(self, request: RankRequest) -> Ranking:
        """The best items for a request, best first.

        Raises:
            DataError: a search without words.
        """
        asked, catalogue = self._ask(request)
        match_V = match_scores(self.run.model, asked.requests, catalogue)[0]
        if request.surface == Surface.ADS:
            items = self._sponsored(request, asked, catalogue, match_V)
        else:
            found_V = self._found(request, catalogue, match_V)
            candidates = best_first(found_V, self.options.candidates)
            candidates = candidates[np.isfinite(found_V[candidates])]
            scored = self._score(asked, catalogue, candidates, found_V)
            items = order(scored, self._policy(), request.k)
        return Ranking(request.request_id, request.surface, tuple(items), self.version)

    def score(self, request: RankRequest, candidates: Sequence[Item]) -> tuple[ScoredItem, ...]:
        """Probabilities of given candidates, in the order given (the Scorer role).

        Raises:
            DataError: a candidate is not in the catalogue.
        """
        strange = [c.item_id for c in candidates if c.item_id not in self.run.number_of]
        if strange:
            raise DataError(f"score: items {', '.join(strange[:5])} are not in the catalogue")
        asked, catalogue = self._ask(request)
        match_V = match_scores(self.run.model, asked.requests, catalogue)[0]
        numbers = np.array([self.run.number_of[c.item_id] for c in candidates], np.int64)
        return tuple(self._score(asked, catalogue, numbers, match_V))

    def _policy(self) -> Policy:
        match self.options.policy:
            case "relevance":
                return ByRelevance()
            case "revenue":
                return ByExpectedRevenue()

    def _ask(self, request: RankRequest) -> tuple[Asked, Catalogue]:
        """The request as the network reads it: its history and words, numbered."""
        words = query_text(request.query)
        past = self._past(request)
        texts = sorted({words, *(typed for _, typed in past)} - {""})
        place = {text: number for number, text in enumerate(texts)}
        history = self._window(past, place, microseconds(request.at))
        query_R = np.array([place.get(words, NONE)], np.int64)
        surface_R = np.array([SURFACES.index(request.surface)], np.int64)
        asked = as_requests(history, query_R, surface_R, self.run.known.item_VD.device)
        met = [texts[number] for number in asked.query_texts.tolist()]
        return asked, self.run.catalogue(self.run.encode_queries(met))

    def _past(self, request: RankRequest) -> list[tuple[Event, str]]:
        """What of the history is looked at, with its words: the same that `prepare` would keep."""
        behaviours = self.run.data.history.behaviours
        earlier = [
            (event, query_text(event.query))
            for event in request.history
            if event.at < request.at and event.kind in behaviours
        ]
        return [one for one in earlier if one[0].item_id in self.run.number_of or one[1]]

    def _window(
        self, past: Sequence[tuple[Event, str]], place: dict[str, int], now: int
    ) -> HistoryWindow:
        """The past as arrays, by the function that cuts histories out of a prepared log."""
        events = [event for event, _ in past]
        numbers = [self.run.number_of.get(event.item_id or "", NONE) for event in events]
        whole = History(
            offset_U1=np.array([0, len(past)], np.int64),
            item_E=np.array(numbers, np.int32),
            query_E=np.array([place.get(typed, NONE) for _, typed in past], np.int32),
            kind_E=np.array([KINDS.index(event.kind) for event in events], np.uint8),
            at_E=np.array([microseconds(event.at) for event in events], np.int64),
        )
        begin, end = np.zeros(1, np.int64), np.array([len(past)], np.int64)
        return window(whole, begin, end, np.array([now]), self.run.data.history)

    def _found(
        self, request: RankRequest, catalogue: Catalogue, match_V: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """``[V]`` retrieval score; -inf for items that may not be shown."""
        score_V = match_V
        if request.surface == Surface.SEARCH:
            score_V = self._search(request, catalogue, match_V)
        hidden_V = ~self.available_V
        if self.run.data.match.seen == "remove" and request.surface == Surface.RECOMMENDATION:
            kinds = self.run.manifest.facts["match_kinds"]
            past = [e for e in request.history if e.at < request.at]
            bought = {e.item_id for e in past if e.kind in kinds}
            hidden_V = hidden_V | np.array([item.item_id in bought for item in self.run.items])
        return np.where(hidden_V, -np.inf, score_V).astype(np.float32)

    def _search(
        self, request: RankRequest, catalogue: Catalogue, match_V: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        words = query_text(request.query)
        if not words:
            raise DataError("search: the query is empty; type what to look for")
        k = self.options.candidates
        bm25_V = self.index.scores(words)
        by_words = best_first(bm25_V, k)
        rankings = [(self.options.words_weight, by_words[bm25_V[by_words] > 0])]
        meaning_QH = self.run.encode_queries([words]).vector_QH
        meaning_V = (catalogue.item_text_VH @ meaning_QH[0]).numpy()
        rankings.append((self.options.meaning_weight, best_first(meaning_V, k)))
        if self.run.knows_queries:
            rankings.append((self.options.match_weight, best_first(match_V, k)))
        fused_V = reciprocal_rank_fusion(rankings, len(self.run.items))
        return np.where(fused_V > 0, fused_V, -np.inf).astype(np.float32)

    def _score(
        self,
        asked: Asked,
        catalogue: Catalogue,
        candidates: NDArray[np.int64],
        match_V: NDArray[np.float32],
    ) -> list[ScoredItem]:
        click_N = convert_N = np.full(len(candidates), np.nan)
        if self.run.has_heads:
            pairs = (np.zeros(len(candidates), np.int64), candidates)
            click_N, told_N = self.run.probabilities(asked.requests, catalogue, pairs)
            convert_N = told_N if self.run.has_conversion else convert_N
        return [
            ScoredItem(
                item=self.run.items[number],
                match=float(match_V[number]),
                p_click=float(click_N[place]),
                p_convert=float(convert_N[place]),
            )
            for place, number in enumerate(candidates.tolist())
        ]

    def _sponsored(
        self,
        request: RankRequest,
        asked: Asked,
        catalogue: Catalogue,
        match_V: NDArray[np.float32],
    ) -> list[ScoredItem]:
        """Advertised items near to the request, by eCPM, each with its second price."""
        offered = np.array(
            [self.run.number_of[item] for item in self.offers if self.item(item).available],  # type: ignore[union-attr]  # offers name catalogue items
            np.int64,
        )
        if len(offered) == 0:
            return []
        fit_V = self._search(request, catalogue, match_V) if query_text(request.query) else match_V
        near = offered[np.isfinite(fit_V[offered])]
        near = near[np.argsort(-fit_V[near], kind="stable")][: self.options.candidates]
        policy = ByCostPerMille({item: offer.bid for item, offer in self.offers.items()})
        # One more than asked for: the last place shown pays the price of the first that is not.
        ranked = order(self._score(asked, catalogue, near, fit_V), policy, request.k + 1)
        return second_price(ranked, policy, self.offers)[: request.k]
