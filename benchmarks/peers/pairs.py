"""Forecasts as a peer is asked for them: labelled rows of ids, and the probabilities it answers.

Run by a peer's own interpreter, beside its script: needs numpy and pyarrow, no Shelfwise.

A task's folder (written by the benchmark, which keeps the test's labels to itself):
    task.json: {"name", "users": U, "items": V}; ids are 0..U-1 and 0..V-1.
    train.parquet, validation.parquet: user, item, cart, bought (both 0 or 1, bought only of carts).
    test.parquet: user, item.

The answer is OUT/forecast.npy: float32 [N, 2], of every row of the test the probabilities of a cart
and of a purchase given a cart; nan in a column that the peer does not forecast.

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
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Integers = NDArray[np.int64]
_COLUMNS = ("user", "item", "cart", "bought")


@dataclass(frozen=True)
class Rows:
    """Who was shown what, and what came of it; of the test's rows nothing."""

    user_N: Integers
    item_N: Integers
    cart_N: Integers
    bought_N: Integers

    def __len__(self) -> int:
        return len(self.user_N)

    def carts(self) -> Rows:
        """Only what was put in a cart."""
        cart_N = self.cart_N > 0
        return Rows(
            self.user_N[cart_N], self.item_N[cart_N], self.cart_N[cart_N], self.bought_N[cart_N]
        )


@dataclass(frozen=True)
class PairTask:
    """One task of forecasts, read as it is asked for."""

    folder: Path
    name: str
    users: int
    items: int
    measure = "auc"  # of purchases among carts

    @cached_property
    def train(self) -> Rows:
        """What may be learned before validation."""
        return _rows(pq.read_table(self.folder / "train.parquet"))

    @cached_property
    def validation(self) -> Rows:
        """By which settings are chosen."""
        return _rows(pq.read_table(self.folder / "validation.parquet"))

    @property
    def whole(self) -> Rows:
        """What may be learned before the test: here validation only chooses, for everybody."""
        return self.train

    def judged(self, score: Callable[[Rows], Any]) -> float:
        """AUC of purchases among the carts of validation."""
        carts = self.validation.carts()
        return auc(_answers(score, carts)[:, 1], carts.bought_N > 0)

    def write(self, folder: Path, score: Callable[[Rows], Any]) -> str:
        """forecast.npy; of a column that is not forecast it says so."""
        answers_N2 = _answers(score, _rows(pq.read_table(self.folder / "test.parquet")))
        np.save(folder / "forecast.npy", answers_N2)
        without = [
            what
            for what, column in zip(("carts", "purchases"), answers_N2.T, strict=True)
            if np.isnan(column).any()
        ]
        return f"no forecast of {' and '.join(without)}" if without else ""


def read_pairs(folder: Path) -> PairTask:
    """The task of a folder."""
    told: dict[str, Any] = json.loads((folder / "task.json").read_text())
    return PairTask(folder, told["name"], told["users"], told["items"])


def auc(score_N: NDArray[np.floating[Any]], label_N: NDArray[np.bool_]) -> float:
    """Chance that a positive outranks a negative, ties one half; nan where one is missing."""
    positives = int(label_N.sum())
    negatives = len(label_N) - positives
    if not positives or not negatives:
        return float("nan")
    _, group_N, size = np.unique(score_N, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(size) - (size - 1) / 2
    ranks = mean_rank[group_N][label_N].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def _answers(score: Callable[[Rows], Any], rows: Rows) -> NDArray[np.float32]:
    answers_N2 = np.asarray(score(rows), dtype=np.float32)
    if answers_N2.shape != (len(rows), 2):
        raise SystemExit(f"forecasts: expected {len(rows)} rows of 2, got {answers_N2.shape}")
    return answers_N2


def _rows(table: pa.Table) -> Rows:
    none = np.zeros(table.num_rows, np.int64)
    has = set(table.column_names)
    return Rows(
        *(table[name].to_numpy().astype(np.int64) if name in has else none for name in _COLUMNS)
    )
