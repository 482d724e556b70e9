"""A grader of texts held against judges: order within a query, grades over all, and baselines.

Shape suffixes in this file: N = judged rows of the test, C = those of validation, Q = queries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.data.tokens import tokenise
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import row
from shelfwise.evaluation.judged_search import RANDOM, WORDS
from shelfwise.evaluation.report import OURS, Difference, Row
from shelfwise.evaluation.shop import ShopFindings
from shelfwise.metrics.bootstrap import bootstrap_interval, bootstrap_rows, paired_interval
from shelfwise.metrics.graded_ndcg import graded_ndcg_at_k
from shelfwise.metrics.pairwise_accuracy import pairs_by_query
from shelfwise.metrics.quadratic_kappa import quadratic_kappa
from shelfwise.metrics.root_mean_square import root_mean_square
from shelfwise.metrics.spearman import SortedSpearman
from shelfwise.models.config import EncoderOptions, Frozen
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.ranking.loaded_relevance import LoadedRelevance
from shelfwise.retrieval.word_figures import WORD_FIGURES, WordFigures
from shelfwise.schema.errors import DataError
from shelfwise.schema.manifest import Manifest
from shelfwise.schema.progress import Progress

TASK = "relevance"
COSINE = "frozen encoder cosine"
_ROW_DRAWS = 200  # each draw passes over every row
_AT_A_TIME = 128


class _Told(NamedTuple):
    """A system's answer for the test."""

    score_N: NDArray[np.float64]  # higher means ranked earlier
    grade_N: NDArray[np.float64]  # the grade it expects


@dataclass(frozen=True, slots=True)
class _Judged:
    query_N: NDArray[np.int64]
    item_N: NDArray[np.int64]
    grade_N: NDArray[np.float64]

    @classmethod
    def of(cls, prepared: PreparedJudgements, part: str) -> _Judged:
        table = prepared.judgements.filter(pl.col("part") == part)
        return cls(*(table[name].to_numpy() for name in ("query", "item", "grade")))


class _ByQuery(NamedTuple):
    """Figures that are means over queries."""

    ndcg_Q: NDArray[np.float64]
    pairs_Q: NDArray[np.float64]


def measure_judged(
    run: Path,
    manifest: Manifest,
    prepared: PreparedJudgements,
    options: EvaluateOptions,
    progress: Progress,
) -> ShopFindings:
    """The run, BM25 and the encoder as it was before training, on the test's judgements.

    Raises:
        DataError: no query was left for the test.
    """
    judged = _Judged.of(prepared, "test")
    if len(judged.grade_N) == 0:
        raise DataError(f"{prepared.folder}: has no judged query in its test part; judge more")
    model = LoadedRelevance(run, manifest)
    queries = prepared.queries["text"].to_list()
    with progress.step("Grading the test"):
        grade_N = model.grades(queries, judged.query_N, judged.item_N)
    told = {OURS: _Told(grade_N, grade_N)}
    told |= _baselines(model, prepared, judged, progress)
    floor = float(prepared.judgements["grade"].min())  # type: ignore[arg-type]  # not empty
    lists = graded_ndcg_at_k(
        np.zeros(len(judged.grade_N)), judged.grade_N - floor, judged.query_N, options.k
    )
    by_query = {name: _by_query(one, judged, floor, options) for name, one in told.items()}
    rows = [found for name in told for found in _mean_rows(name, by_query[name], options)]
    rows += [found for name, one in told.items() for found in _row_rows(name, one, judged, options)]
    random = bootstrap_interval(lists.random_Q, draws=options.draws, seed=options.seed)
    rows.append(row(RANDOM, TASK, f"ndcg@{options.k}", random))
    return ShopFindings(
        rows=rows,
        differences=_differences(by_query, options),
        notes=[
            f"{len(judged.grade_N):,} judgements of {len(lists.query_Q):,} queries; queries with "
            f"one item or one grade left out of ndcg: {lists.left_out:,}. A random order earns "
            f"{random.value:.3f}. Intervals draw queries again.",
            "A score that is no grade (BM25, cosine) is put through a straight line fitted on "
            "validation for rmse and kappa; kappa is that of whole grades, squared.",
        ],
    )


def _baselines(
    model: LoadedRelevance, prepared: PreparedJudgements, judged: _Judged, progress: Progress
) -> dict[str, _Told]:
    fitted = _Judged.of(prepared, "validation")
    if len(fitted.grade_N) == 0:  # few judgements: the line has nothing else to follow
        fitted = _Judged.of(prepared, "train")
    figures = WordFigures(prepared.items["text"].to_list())
    queries, bm25 = prepared.queries["text"].to_list(), WORD_FIGURES.index("bm25")
    words = [figures.of(queries, part.query_N, part.item_N)[:, bm25] for part in (judged, fitted)]
    with progress.step("Encoding texts"):
        cosines = _cosines(model.options.encoder, prepared, (judged, fitted))
    return {
        WORDS: _lined(words[0], words[1], fitted.grade_N),
        COSINE: _lined(cosines[0], cosines[1], fitted.grade_N),
    }


def _lined(
    score_N: NDArray[np.float64], score_C: NDArray[np.float64], grade_C: NDArray[np.float64]
) -> _Told:
    """A score that is no grade: a straight line makes one of it."""
    spread = float(score_C.var())
    slope = float(np.cov(score_C, grade_C, bias=True)[0, 1]) / spread if spread else 0.0
    return _Told(score_N, grade_C.mean() + slope * (score_N - score_C.mean()))


@torch.no_grad()
def _cosines(
    options: EncoderOptions, prepared: PreparedJudgements, parts: tuple[_Judged, ...]
) -> list[NDArray[np.float64]]:
    """Of each part's pairs, by the pre-trained encoder as it is."""
    origin = encoder_folder(options.name)
    frozen = options.model_copy(update={"tuning": Frozen(), "projection": None})
    encoder = load_text_encoder(origin, frozen).eval()
    found = []
    for part in parts:
        sides = []
        for number_N, texts, prefix in (
            (part.query_N, prepared.queries["text"], options.query_prefix),
            (part.item_N, prepared.items["text"], options.item_prefix),
        ):
            number_T, place_N = np.unique(number_N, return_inverse=True)
            tokens = tokenise(
                [prefix + text for text in texts.gather(number_T)],
                origin / "tokenizer.json",
                prepared.options.text.max_tokens,
            )
            vector_TD = np.zeros((len(number_T), encoder.width), np.float32)
            order = np.argsort(tokens.lengths(), kind="stable")
            for start in range(0, len(order), _AT_A_TIME):
                some = order[start : start + _AT_A_TIME]
                ids, mask = (torch.from_numpy(side) for side in tokens.padded(some))
                vector_TD[some] = encoder(ids, mask).numpy()
            sides.append(vector_TD[place_N])
        found.append((sides[0] * sides[1]).sum(-1).astype(np.float64))
    return found


def _by_query(told: _Told, judged: _Judged, floor: float, options: EvaluateOptions) -> _ByQuery:
    # In single precision, so that what differs by rounding alone is a tie.
    score_N = told.score_N.astype(np.float32)
    lists = graded_ndcg_at_k(score_N, judged.grade_N - floor, judged.query_N, options.k)
    pairs = pairs_by_query(score_N, judged.grade_N, judged.query_N)
    return _ByQuery(lists.ndcg_Q, pairs.value_Q)


def _names(options: EvaluateOptions) -> tuple[str, str]:
    return f"ndcg@{options.k}", "pairwise_accuracy"


def _mean_rows(system: str, found: _ByQuery, options: EvaluateOptions) -> list[Row]:
    return [
        row(system, TASK, name, bootstrap_interval(value_Q, draws=options.draws, seed=options.seed))
        for name, value_Q in zip(_names(options), found, strict=True)
    ]


def _row_rows(system: str, told: _Told, judged: _Judged, options: EvaluateOptions) -> list[Row]:
    whole_N, true_N = (np.rint(side).astype(np.int64) for side in (told.grade_N, judged.grade_N))
    metrics: dict[str, Callable[[NDArray[np.float64]], float]] = {
        "spearman": SortedSpearman.of(told.score_N, judged.grade_N),
        "rmse": lambda weight_N: root_mean_square(told.grade_N, judged.grade_N, weight_N).value,
        "kappa": lambda weight_N: quadratic_kappa(whole_N, true_N, weight_N).value,
    }
    draws = min(options.draws, _ROW_DRAWS)
    return [
        row(
            system,
            TASK,
            name,
            bootstrap_rows(metric, judged.query_N, draws=draws, seed=options.seed),
        )
        for name, metric in metrics.items()
    ]


def _differences(by_query: dict[str, _ByQuery], options: EvaluateOptions) -> list[Difference]:
    found = []
    for system, theirs in by_query.items():
        if system == OURS:
            continue
        for metric, ours_Q, theirs_Q in zip(_names(options), by_query[OURS], theirs, strict=True):
            gap = paired_interval(ours_Q, theirs_Q, draws=options.draws, seed=options.seed)
            found.append(Difference(OURS, system, "main", metric, gap.value, gap.low, gap.high))
    return found
