"""Folds of judged queries, hand-made figures of pairs, and the systems that grade them."""

from __future__ import annotations

import hashlib
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from training.judged_shop import write_judged_shop

if TYPE_CHECKING:
    from benchmarks.result import Result


def judged(queries: list[str], trains_only: list[bool], folds: int) -> object:
    from benchmarks.judged import Judged

    rows = pl.DataFrame(
        {
            "query": queries,
            "title": [f"title {row}" for row in range(len(queries))],
            "grade": [float(row % 3) for row in range(len(queries))],
            "trains_only": trains_only,
        }
    )
    return Judged(None, rows, folds)  # type: ignore[arg-type]  # what was prepared is not looked at


def test_queries_are_parted_in_the_order_of_their_digests() -> None:
    from benchmarks.judged import folds_of

    names = [f"query {number}" for number in range(20)]
    order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())

    (fold,) = folds_of(judged(names * 2, [False] * 40, 1))

    # 20 queries with two rows each: the first 14 train, two validate, the last four are the test.
    for rows, expected in (
        (fold.train, order[:14]),
        (fold.validation, order[14:16]),
        (fold.test, order[16:]),
    ):
        assert {(names * 2)[row] for row in rows} == set(expected)
        assert len(rows) == 2 * len(expected)


def test_in_five_folds_every_query_is_tested_once() -> None:
    from benchmarks.judged import folds_of

    names = [f"query {number}" for number in range(23)]

    folds = list(folds_of(judged([*names, "another"], [False] * 23 + [True], 5)))

    assert len(folds) == 5
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(23))
    for fold in folds:
        # 23 queries: 16 train (70 %) and the row that only trains; the rest of them validate.
        assert len(fold.train) == 16 + 1
        assert 23 in fold.train
        together = np.concatenate([*fold])
        assert sorted(together) == list(range(24))


def test_the_first_of_five_folds_is_the_fold_of_one() -> None:
    from benchmarks.judged import folds_of

    names = [f"query {number}" for number in range(37)]

    first, *_ = folds_of(judged(names, [False] * 37, 5))
    (alone,) = folds_of(judged(names, [False] * 37, 1))

    for one, other in zip(first, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_figures_of_pairs_by_hand() -> None:
    from benchmarks.pair_figures import FIGURES, PairTexts, pair_figures

    rows = pl.DataFrame(
        {
            "query": ["red lamp", "red lamp", "blue"],
            "title": ["lamp lamp shade", "red rug", "red rug"],
        }
    )
    texts = PairTexts.of(rows)

    found = pair_figures(texts, np.array([0.5, 0.25, 0.0], np.float32))

    by_name = dict(zip(FIGURES, found.T, strict=True))
    np.testing.assert_allclose(by_name["shared words"], [1 / 2, 1 / 2, 0])
    np.testing.assert_allclose(by_name["words shared"], [1, 1, 0])
    # Of two titles one has each word: both weigh the same, log(1 + 1.5/1.5).
    np.testing.assert_allclose(by_name["shared rarity"], [1 / 2, 1 / 2, 0])
    # Titles of 3 and 2 words, 2.5 in the mean; lamp stands twice in the first.
    # idf * tf * 2.5 / (tf + 1.5 * (.25 + .75 * length / 2.5))
    idf = log(1 + 1.5 / 1.5)
    np.testing.assert_allclose(
        by_name["bm25"],
        [
            idf * 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 3 / 2.5)),
            idf * 2.5 / (1 + 1.5 * (0.25 + 0.75 * 2 / 2.5)),
            0,
        ],
    )
    # Runs of "red": " re", "red", "ed "; of "lamp": " la", "lam", "amp", "mp ". The title "lamp
    # lamp shade" has the four of lamp, "red rug" the three of red.
    np.testing.assert_allclose(by_name["shared letters"], [4 / 7, 3 / 7, 0])
    np.testing.assert_allclose(by_name["words of the query"], [2, 2, 1])
    np.testing.assert_allclose(by_name["words of the title"], [3, 2, 2])
    np.testing.assert_allclose(by_name["cosine"], [0.5, 0.25, 0])


def test_grades_of_three_judges_are_told_apart_by_thirds() -> None:
    from benchmarks.pair_models import classes_of

    few, grades = classes_of(np.array([2.0, 0.0, 1.0]))
    assert few.tolist() == [2, 0, 1]
    assert grades.tolist() == [0, 1, 2]

    # Twelve different means: 1.25 and 1.33 are one third of a grade from 1, 1.75 is from 2.
    many = np.array([0, 0.25, 0.33, 0.5, 0.67, 0.75, 1, 1.25, 1.33, 1.5, 1.75, 2])
    number, grades = classes_of(many)
    np.testing.assert_allclose(grades, np.arange(7) / 3)
    np.testing.assert_allclose(grades[number][[7, 8, 10]], [4 / 3, 4 / 3, 5 / 3])


def test_a_score_becomes_a_grade_by_a_line_through_training_rows() -> None:
    from benchmarks.judged import Fold
    from benchmarks.judged_contest import by_score

    score = np.array([0.0, 1.0, 2.0, 10.0, 0.0])
    grade = np.array([1.0, 1.5, 2.0, 0.0, 0.0])
    fold = Fold(np.array([0, 1, 2]), np.array([], np.int64), np.array([3, 4]))

    answer, _ = by_score(score, grade)(fold, 0)

    # grade = 1 + score / 2 on the training rows
    np.testing.assert_allclose(answer.grade_T, [6.0, 1.0])
    np.testing.assert_allclose(answer.score_T, [10.0, 0.0])
    # A score that says nothing predicts the mean grade.
    nothing, _ = by_score(np.zeros(5), grade)(fold, 0)
    np.testing.assert_allclose(nothing.grade_T, [1.5, 1.5])


def test_a_peer_is_given_all_grades_but_the_test_s(tmp_path: Path) -> None:
    from benchmarks.judged import folds_of
    from benchmarks.judged_peers import digest_of, read_scores, write_judged
    from benchmarks.peer_process import PeerError

    names = [f"query {number}" for number in range(20)]
    made = judged(names * 2, [False] * 40, 1)
    (fold,) = folds_of(made)  # type: ignore[arg-type]  # see judged

    task = write_judged(made, fold, tmp_path / "task")  # type: ignore[arg-type]

    parts = {part: pl.read_parquet(task / f"{part}.parquet") for part in ("train", "test")}
    assert parts["train"].columns == ["query", "title", "grade"]
    assert parts["test"].columns == ["query", "title"]
    assert parts["test"]["title"].to_list() == [f"title {row}" for row in fold.test]
    # 40 rows: 28 train, 4 validate, 8 are the test; it answers the last two.
    np.save(tmp_path / "scores.npy", np.zeros(12, np.float32))
    assert len(read_scores(tmp_path, 12)["scores"]) == 12
    with pytest.raises(PeerError, match="have 11 rows"):
        read_scores(tmp_path, 11)
    assert digest_of(task, made, fold) == digest_of(task, made, fold)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Result:
    """A shop of judgements alone: 40 queries, of which a title with both words is the better."""
    from benchmarks.asking import Asking
    from benchmarks.judged_contest import compare_judged

    from shelfwise.schema.progress import Silent

    shop = tmp_path_factory.mktemp("judged") / "shop"
    write_judged_shop(shop)
    settings = (
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.tuning.mode=frozen",
        "train.threads=1",
        "train.epochs=2",
    )
    asking = Asking(shop, minutes=0.5, settings=settings, systems=("shelfwise", "baselines"))
    return compare_judged("Judged.", asking, Silent())


def values(compared: Result, metric: str) -> dict[str, float]:
    return {row["system"]: row["value"] for row in compared.rows if row.get("metric") == metric}


def test_the_random_floor_is_that_of_the_closed_form(compared: Result) -> None:
    floor = values(compared, "ndcg@10")["random order"]

    assert floor == pytest.approx(compared.figures["ndcg@10 of a random order, in closed form"])
    # Gains 3, 1, 0, 0 at places 1 to 4, in the mean: 1 at each; at best 3 + 1/log2(3).
    places = (1 / np.log2([2, 3, 4, 5])).sum()
    assert floor == pytest.approx(places / (3 + 1 / np.log2(3)))
    assert values(compared, "pairwise_accuracy")["random order"] == pytest.approx(0.5)


def test_words_that_decide_the_grade_order_it_perfectly(compared: Result) -> None:
    # All three words, two, one, none.
    for metric in ("ndcg@10", "pairwise_accuracy"):
        found = values(compared, metric)
        assert found["gradient boosting on hand features"] == pytest.approx(1)
        assert found["shared words"] > found["random order"]
    assert values(compared, "rmse")["random order"] == pytest.approx(np.std([2, 1, 0, 0]), abs=1e-9)


def test_ours_reads_apart_together_and_as_plain_text(compared: Result) -> None:
    assert not [row for row in compared.rows if "failed" in row]
    for system in ("shelfwise/bi-encoder", "shelfwise/cross-encoder", "shelfwise/pairs"):
        assert 0 < values(compared, "ndcg@10")[system] <= 1
    assert {gap["a"] for gap in compared.differences} == {"shelfwise/bi-encoder"}
    assert "shelfwise/cross-encoder" in {gap["b"] for gap in compared.differences}
    assert compared.data["counts"]["pairs tested"] == 4 * 8  # the last fifth of 40 queries
