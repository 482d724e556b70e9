"""A run under attack: the test's requests, how well each is answered, and where words can be put.

Shape suffixes in this file: T = targets, V = items, Q = queries, U = owners, R = requests.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.history import History
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets, match_targets, past_of, search_targets
from shelfwise.data.text import encoded_texts
from shelfwise.data.trend import trend_at
from shelfwise.evaluation.attacks.config import AttackOptions
from shelfwise.evaluation.match import Ranked, Score, View, rank_all, views
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.evaluation.stored_answers import evenly_spread
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import SURFACES, Requests
from shelfwise.ranking.loaded_run import LoadedRun
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import Surface
from shelfwise.schema.progress import Silent


@dataclass(frozen=True, slots=True)
class Victim:
    """What is attacked, and the requests by which the harm is told."""

    prepared: PreparedShop
    scorer: RunScorer
    targets: MatchTargets  # as the test asks them, or validation
    searches: MatchTargets  # those at which something was typed, each by itself
    options: AttackOptions
    times_V: NDArray[np.int64]  # how often each item was taken before
    headline: View  # of the targets
    clean_T: NDArray[np.float64]  # NDCG of the targets without an attack

    @classmethod
    def of(
        cls,
        run: LoadedRun,
        prepared: PreparedShop,
        options: AttackOptions,
        strangers: Collection[str] = (),
    ) -> Victim:
        """The requests of the part, at most as many as the options allow; no suspected fraud's.

        Args:
            run: what is attacked.
            prepared: the shop.
            options: how hard, and which part is asked.
            strangers: ids of owners who are not asked either.

        Raises:
            DataError: nobody is left to ask.
        """
        run.encoder.reach_words()
        part = options.part
        if part == "validation":  # a run is told the trend up to its test: its answers too
            ended = prepared.moments.known_until(TRAINED)
            run = run.with_trend(trend_at(prepared, ended, TRAINED))
        asked_U = ~prepared.owners["owner_id"].is_in(list(strangers)).to_numpy()
        targets, searches = (
            evenly_spread(
                found.chosen(np.flatnonzero(asked_U[found.owner_T])), options.most_targets
            )
            for found in (
                match_targets(prepared, part, doubted=False),
                search_targets(prepared, part, doubted=False),
            )
        )
        if len(targets) == 0:
            raise DataError(
                f"{prepared.folder}: no request of the {part} asks for the catalogue's order, "
                "but for suspected fraud; prepare a longer log, or look at [fraud]"
            )
        taken = taken_in(prepared, options.before, doubted=False)
        times_V = np.bincount(taken.item_E, minlength=taken.items)
        headline = views(prepared, targets, times_V > 0)[0]
        scorer = RunScorer(run, prepared)
        clean = _ranked(scorer.match, targets, headline, options.k, taken.items)
        clean_T = clean.ndcg(options.k)
        return cls(prepared, scorer, targets, searches, options, times_V, headline, clean_T)

    @property
    def run(self) -> LoadedRun:
        return self.scorer.run

    @property
    def reads_titles(self) -> bool:
        """Whether items are told by texts; where none has any, the encoder is shown nothing."""
        said = any(encoded_texts(self.prepared.items))
        return self.run.model.options.text and said

    def view(self, targets: MatchTargets) -> View:
        """The headline view of some targets."""
        return views(self.prepared, targets, self.times_V > 0)[0]

    def ranked(self, score: Score, asked: MatchTargets, view: View) -> Ranked:
        """Where right answers stand when ``asked`` are answered by ``score``."""
        return _ranked(score, asked, view, self.options.k, len(self.times_V))

    def ndcg(self, score: Score, asked: MatchTargets, view: View) -> NDArray[np.float64]:
        """``[T]`` nan where the view leaves a target without answers."""
        return self.ranked(score, asked, view).ndcg(self.options.k)

    def typed(self, targets: MatchTargets) -> list[str]:
        """What was typed at each of ``targets``, all of which are searches."""
        texts = self.scorer.queries.texts
        return [texts[query] for query in targets.query_T.tolist()]

    def asking(self, targets: MatchTargets, typed: Sequence[str]) -> tuple[RunScorer, MatchTargets]:
        """A scorer and targets by which ``typed`` is asked instead; histories stay as they are."""
        scorer = copy.copy(self.scorer)
        known, new = scorer.queries, self.run.encode_queries(typed)
        scorer.queries = known._replace(
            texts=known.texts + new.texts,
            vector_QH=torch.cat([known.vector_QH, new.vector_QH]),
            tokens=known.tokens + new.tokens,
        )
        number_T = len(known.texts) + np.arange(len(targets))
        return scorer, replace(targets, query_T=number_T)

    def with_titles(self, text_of: Mapping[int, str]) -> RunScorer:
        """A scorer of the same run, to which some items are told by other texts."""
        scorer = copy.copy(self.scorer)
        scorer.run = self.run.retitled(text_of)
        return scorer

    def with_history(self, history: History) -> RunScorer:
        """A scorer that reads other histories."""
        scorer = copy.copy(self.scorer)
        scorer.prepared = replace(self.prepared, history=history)
        return scorer

    def requests(self, targets: MatchTargets, rows: NDArray[np.int64]) -> tuple[Requests, Any]:
        """Requests of some targets, and the numbers of the queries that they are about."""
        history = past_of(self.prepared, targets, rows)
        surface_R = np.full(len(rows), SURFACES.index(Surface.RECOMMENDATION), np.int64)
        asked = as_requests(history, targets.query_T[rows], surface_R, torch.device("cpu"))
        return asked.requests, asked.query_texts


def _ranked(score: Score, asked: MatchTargets, view: View, k: int, items: int) -> Ranked:
    return rank_all({OURS: score}, asked, [view], items, Silent(), k)[OURS, view.name]


def unlikelihood(score_RV: Tensor, view: View, rows: NDArray[np.int64]) -> Tensor:
    """How unlikely right answers are: the mean of ``-log softmax`` over requests, each alike.

    Items that the view leaves out of the ranking are no rivals.

    Args:
        score_RV: of the targets ``rows``, rising.
        view: which answers count.
        rows: of all targets.
    """
    inside = np.isin(view.right_target_P, rows)
    row_P = np.searchsorted(rows, view.right_target_P[inside])
    item_P = view.right_item_P[inside]
    share_P = 1 / np.bincount(row_P, minlength=len(rows))[row_P]
    gone = np.isin(view.excluded_target_X, rows)
    out_RV = torch.zeros_like(score_RV, dtype=torch.bool)
    out_RV[
        torch.from_numpy(np.searchsorted(rows, view.excluded_target_X[gone])),
        torch.from_numpy(view.excluded_item_X[gone]),
    ] = True
    log_RV = score_RV.masked_fill(out_RV, -torch.inf).log_softmax(-1)
    found_P = log_RV[torch.from_numpy(row_P), torch.from_numpy(item_P)]
    total: Tensor = -(found_P * torch.from_numpy(share_P).float()).sum() / max(1, len(rows))
    return total
