"""The attacks that a run of judgements is put through.

Shape suffixes in this file: N = judged rows, Q = queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.near_sounds import near_sounds
from shelfwise.data.prepared import PreparedJudgements
from shelfwise.data.text_noise import Noise, noisy
from shelfwise.evaluation.attacks.config import AttackOptions
from shelfwise.evaluation.attacks.curve import Attack, Curve, Drawing, curve_of
from shelfwise.evaluation.attacks.gradient import RADIUS, hardest, under
from shelfwise.metrics.graded_ndcg import graded_ndcg_at_k
from shelfwise.metrics.pairwise_accuracy import pairs_by_query
from shelfwise.models.places import reachable
from shelfwise.ranking.loaded_relevance import LoadedRelevance
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress
from shelfwise.training.answers import evenly_spread

_QUERIES = Attack(
    "query noise", "queries as they reach a shop: mistyped, cut, disguised", "share of words"
)
_TITLES = Attack("title noise", "the same in the titles of items", "share of words")
_WORDS = Attack("gradient on words", "word vectors, moved against the network", RADIUS)


_AT_A_TIME = 32  # queries whose rows are attacked together


@dataclass(frozen=True, slots=True)
class JudgedVictim:
    """What is attacked, and the judgements by which the harm is told."""

    model: LoadedRelevance
    queries: list[str]
    titles: list[str]
    query_N: NDArray[np.int64]
    item_N: NDArray[np.int64]
    grade_N: NDArray[np.float64]
    floor: float  # the lowest grade there is, which gains nothing
    options: AttackOptions
    sounds: Mapping[str, str] = field(default_factory=near_sounds)

    @classmethod
    def of(
        cls, model: LoadedRelevance, prepared: PreparedJudgements, options: AttackOptions
    ) -> JudgedVictim:
        """The part's judgements, of at most as many queries as the options allow.

        Raises:
            DataError: there are none.
        """
        model.model.encoder.reach_words()
        table = prepared.judgements.filter(pl.col("part") == options.part)
        if len(table) == 0:
            found = f"{prepared.folder}: has no judged query in its {options.part} part"
            raise DataError(f"{found}; judge more")
        query_Q = np.unique(table["query"].to_numpy())
        query_N = np.searchsorted(query_Q, table["query"].to_numpy())
        return cls(
            model=model,
            queries=prepared.queries["text"].gather(query_Q).to_list(),
            titles=prepared.items["text"].to_list(),
            query_N=query_N.astype(np.int64),
            item_N=table["item"].to_numpy().astype(np.int64),
            grade_N=table["grade"].to_numpy().astype(np.float64),
            floor=float(prepared.judgements["grade"].min()),  # type: ignore[arg-type]  # not empty
            options=options,
        ).fewer(options.most_targets)

    def fewer(self, most: int) -> JudgedVictim:
        """The same with at most so many queries, evenly spread."""
        count = len(self.queries)
        if count <= most:
            return self
        chosen_Q = evenly_spread(count, most)
        place_Q = np.full(count, -1, np.int64)
        place_Q[chosen_Q] = np.arange(len(chosen_Q))
        kept = place_Q[self.query_N] >= 0
        return replace(
            self,
            queries=[self.queries[query] for query in chosen_Q],
            query_N=place_Q[self.query_N[kept]],
            item_N=self.item_N[kept],
            grade_N=self.grade_N[kept],
        )

    @property
    def shown(self) -> NDArray[np.int64]:
        """Rows of items that the judgements are about."""
        found: NDArray[np.int64] = np.unique(self.item_N)
        return found

    def figures(self, score_N: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """``[Q]`` values of each query by metric."""
        single_N = score_N.astype(np.float32)  # what differs by rounding alone is a tie
        gain_N = self.grade_N - self.floor
        lists = graded_ndcg_at_k(single_N, gain_N, self.query_N, self.options.k)
        pairs = pairs_by_query(single_N, self.grade_N, self.query_N)
        return {f"ndcg@{self.options.k}": lists.ndcg_Q, "pairwise_accuracy": pairs.value_Q}


_Answered = Callable[[JudgedVictim, float], NDArray[np.float64]]


def attack_judged(victim: JudgedVictim, progress: Progress) -> list[Curve]:
    """Every attack, each told by both metrics."""
    options, curves = victim.options, []
    few = victim.fewer(options.gradient_targets)
    attacks: tuple[tuple[Attack, _Answered, JudgedVictim, tuple[float, ...]], ...] = (
        (_QUERIES, _by_queries, victim, options.noise_shares),
        (_TITLES, _by_titles, victim, options.noise_shares),
        (_WORDS, _by_gradient, few, options.radii),
    )
    with progress.step("Attacks", total=len(attacks)) as step:
        for attack, answered, asked, strengths in attacks:
            clean = asked.figures(_grades(asked, asked.model, asked.queries))
            found = [(each, asked.figures(answered(asked, each))) for each in strengths]
            for metric, clean_Q in clean.items():
                drawing = Drawing(options.draws, options.seed)
                under_Q = [(strength, values[metric]) for strength, values in found]
                curves.append(curve_of(attack, metric, clean_Q, under_Q, drawing))
            step.advance()
    return curves


def _grades(
    victim: JudgedVictim, model: LoadedRelevance, queries: list[str]
) -> NDArray[np.float64]:
    return model.grades(queries, victim.query_N, victim.item_N)


def _by_queries(victim: JudgedVictim, share: float) -> NDArray[np.float64]:
    noise = Noise(share, sounds=victim.sounds)
    queries = noisy(victim.queries, noise, victim.options.seed)
    return _grades(victim, victim.model, queries)


def _by_titles(victim: JudgedVictim, share: float) -> NDArray[np.float64]:
    shown, noise = victim.shown.tolist(), Noise(share, sounds=victim.sounds)
    texts = noisy([victim.titles[row] for row in shown], noise, victim.options.seed)
    model = victim.model.retitled(dict(zip(shown, texts, strict=True)))
    return _grades(victim, model, victim.queries)


def _by_gradient(victim: JudgedVictim, radius: float) -> NDArray[np.float64]:
    """A few queries at a time: all of a query's rows are attacked together."""
    model = victim.model
    share_N = np.empty(len(victim.grade_N))
    for begin in range(0, len(victim.queries), _AT_A_TIME):
        end = begin + _AT_A_TIME
        inside = np.flatnonzero((victim.query_N >= begin) & (victim.query_N < end))
        share_N[inside] = _attacked(victim, inside, (begin, end), radius)
    grade_N: NDArray[np.float64] = model.lowest + share_N * (model.highest - model.lowest)
    return grade_N


def _attacked(
    victim: JudgedVictim, rows: NDArray[np.int64], block: tuple[int, int], radius: float
) -> NDArray[np.float64]:
    model, (begin, end) = victim.model, block
    queries = victim.queries[begin:end]
    query_N, item_N = victim.query_N[rows] - begin, victim.item_N[rows]
    share_N = (victim.grade_N[rows] - model.lowest) / (model.highest - model.lowest)
    wanted_N = torch.from_numpy(share_N.clip(0, 1)).float()

    def logits() -> Tensor:
        return model.logits(queries, query_N, item_N, anew=True)

    places = reachable(model.model)
    nudges = hardest(
        lambda: F.binary_cross_entropy_with_logits(logits(), wanted_N),
        places,
        "words",
        radius=radius,
        steps=victim.options.gradient_steps,
    )
    moved_N = under(places, nudges, logits)
    found: NDArray[np.float64] = moved_N.sigmoid().double().numpy()
    return found
