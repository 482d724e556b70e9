"""What graders of other libraries share: judged pairs, rank correlation, the file of answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.peers_loading import ROOT

sys.path.append(str(ROOT / "benchmarks/peers"))  # where a script finds them

from graded_pairs import GradeTask, Pairs, read_judgements, spearman


@pytest.fixture
def task(tmp_path: Path) -> GradeTask:
    parts = {
        "train": [("lamp", "red lamp", 3.0), ("lamp", "rug", 1.0), ("rug", "mug", 2.0)],
        "validation": [("mug", "mug", 3.0), ("mug", "a rug", 1.0), ("mug", "mugs", 2.0)],
        "test": [("pan", "pan", 0.0)],
    }
    for part, rows in parts.items():
        table = pl.DataFrame(rows, schema=["query", "title", "grade"], orient="row")
        kept = table.drop("grade") if part == "test" else table
        kept.write_parquet(tmp_path / f"{part}.parquet")
    told = {"name": "small", "lowest": 1.0, "highest": 3.0}
    (tmp_path / "task.json").write_text(json.dumps(told))
    return read_judgements(tmp_path)


def by_length(pairs: Pairs) -> np.ndarray:
    return np.array([-len(title) for title in pairs.title_N], np.float64)


def test_grades_are_places_and_scores_are_judged_by_rank(task: GradeTask) -> None:
    assert task.share(task.train).tolist() == [1, 0, 0.5]
    assert task.whole is task.train
    # mug (3 letters, grade 3), mugs (4, grade 2), a rug (5, grade 1): the order of the grades.
    assert task.judged(by_length) == pytest.approx(1)
    assert task.judged(lambda pairs: -by_length(pairs)) == pytest.approx(-1)


def test_answers_are_those_of_validation_and_then_of_the_test(
    task: GradeTask, tmp_path: Path
) -> None:
    assert task.write(tmp_path, by_length) == ""

    assert np.load(tmp_path / "scores.npy").tolist() == [-3, -5, -4, -3]


def test_spearman_by_hand() -> None:
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5 / 4, variances 4.5 / 4 and 5 / 4.
    found = spearman(np.array([0.1, 0.2, 0.2, 0.3]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert found == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert np.isnan(spearman(np.zeros(3), np.arange(3.0)))
