"""Judged pairs of query and title as a peer is given them, and the scores that it answers with.

Run by a peer's own interpreter, beside its script: needs numpy and pyarrow, no Shelfwise.

A task's folder (written by the benchmark, which keeps the test's grades to itself):
    task.json: {"name", "lowest", "highest"}: the ends of the grades.
    train.parquet, validation.parquet: query, title, grade.
    test.parquet: query, title.

The answer is OUT/scores.npy: float32, higher is better, first of validation's rows, then of the
test's: the benchmark makes grades of them by a straight line through those of validation.

Shape suffix: N = rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pairs:
    """Queries and titles; of the test's rows no grade is known."""

    query_N: list[str]
    title_N: list[str]
    grade_N: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.query_N)


@dataclass(frozen=True)
class GradeTask:
    """One task of grading, read as it is asked for."""

    folder: Path
    name: str
    lowest: float
    highest: float
    measure = "spearman"

    @cached_property
    def train(self) -> Pairs:
        """What may be learned."""
        return self._rows("train")

    @cached_property
    def validation(self) -> Pairs:
        """By which settings are chosen."""
        return self._rows("validation")

    @property
    def whole(self) -> Pairs:
        """What may be learned before the test: here validation only chooses, for everybody."""
        return self.train

    def share(self, pairs: Pairs) -> NDArray[np.float64]:
        """Grades as places between the lowest and the highest, 0 to 1."""
        return (pairs.grade_N - self.lowest) / (self.highest - self.lowest)

    def judged(self, score: Callable[[Pairs], Any]) -> float:
        """Rank correlation of scores and grades on validation."""
        return spearman(np.asarray(score(self.validation)), self.validation.grade_N)

    def write(self, folder: Path, score: Callable[[Pairs], Any]) -> str:
        """scores.npy."""
        parts = (self.validation, self._rows("test"))
        found = [np.asarray(score(part), dtype=np.float32) for part in parts]
        np.save(folder / "scores.npy", np.concatenate(found))
        return ""

    def _rows(self, part: str) -> Pairs:
        table = pq.read_table(self.folder / f"{part}.parquet")
        texts = (table[name].to_pylist() for name in ("query", "title"))
        known = "grade" in table.column_names
        grade_N = table["grade"].to_numpy() if known else np.full(table.num_rows, np.nan)
        return Pairs(*texts, grade_N)


def read_judgements(folder: Path) -> GradeTask:
    """The task of a folder."""
    told: dict[str, Any] = json.loads((folder / "task.json").read_text())
    return GradeTask(folder, told["name"], told["lowest"], told["highest"])


def spearman(a_N: NDArray[np.floating[Any]], b_N: NDArray[np.floating[Any]]) -> float:
    """Correlation of ranks, equal values sharing theirs; nan where a side is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(_ranks(a_N), _ranks(b_N))[0, 1])


def _ranks(value_N: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    _, group_N, size = np.unique(value_N, return_inverse=True, return_counts=True)
    middle: NDArray[np.float64] = (np.cumsum(size) - (size - 1) / 2)[group_N]
    return middle
