"""A ranking task as a peer is given it, and the scores that it answers with.

Run by a peer's own interpreter, beside its script: needs numpy and pyarrow, no Shelfwise.

The answer is OUT/scores.npy: float32 [T, V], higher is better, -inf where it cannot rank. What was
taken before is not left out; views are applied by the benchmark. The task's folder, written by the
benchmark, which keeps the test's answers to itself:
    task.json: {"name", "items": V, "targets": T, "validation_targets", "clock": "time"|"order",
        "k"}; "view": "new" where items of the history do not count, as in the headline.
    interactions.parquet: owner, item, at, part ("train" or "validation"); all that may be learned.
    items.parquet: item (0..V-1), item_id, title, category, brand, price, text.
    histories.parquet, validation_histories.parquet: target, owner, items (oldest first), at.
    validation_answers.parquet: target, item.

Shape suffixes: N = interactions, T = targets, B = targets of a block, V = items, P = pairs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Scores = NDArray[np.float32]
Part = Literal["train", "validation"]
_BLOCK = 256  # targets scored at once


@dataclass(frozen=True)
class Log:
    """Who took what when, sorted by owner, then time."""

    owner_N: Integers
    item_N: Integers
    at_N: Integers  # microseconds, or the number in an order

    def __len__(self) -> int:
        return len(self.item_N)


@dataclass(frozen=True)
class Histories:
    """What each target's owner had taken by the moment of the request, oldest first."""

    owner_T: Integers
    at_T: Integers
    flat: Integers  # histories one after the other
    bounds: Integers  # [T + 1] where each begins in flat

    def __len__(self) -> int:
        return len(self.owner_T)

    def __getitem__(self, target: int) -> Integers:
        return self.flat[self.bounds[target] : self.bounds[target + 1]]

    def __iter__(self) -> Iterator[Integers]:
        return (self[target] for target in range(len(self)))

    def block(self, start: int, stop: int) -> Histories:
        """Targets from ``start`` up to ``stop``, numbered from 0."""
        bounds = self.bounds[start : stop + 1]
        return Histories(
            self.owner_T[start:stop],
            self.at_T[start:stop],
            self.flat[bounds[0] : bounds[-1]],
            bounds - bounds[0],
        )

    def pairs(self) -> tuple[Integers, Integers]:
        """``target, item`` of every entry: the rows and columns of a sparse matrix."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds)), self.flat


@dataclass(frozen=True)
class Answers:
    """The items that were right, sorted by target."""

    target_P: Integers
    item_P: Integers


@dataclass(frozen=True)
class Task:
    """One ranking task, read as it is asked for."""

    folder: Path
    name: str
    items: int
    targets: int
    validation_targets: int
    clock: Literal["time", "order"]
    k: int
    view: Literal["all", "new"] = "all"

    @cached_property
    def whole(self) -> Log:
        """All that may be learned before the test."""
        return self._log(None)

    @cached_property
    def train(self) -> Log:
        """What may be learned before the validation targets."""
        return self._log("train")

    @cached_property
    def histories(self) -> Histories:
        """Of the test's targets."""
        return _histories(self.folder / "histories.parquet")

    @cached_property
    def validation_histories(self) -> Histories:
        """Of the validation targets."""
        return _histories(self.folder / "validation_histories.parquet")

    @cached_property
    def validation_answers(self) -> Answers:
        """What the validation targets took; of view "new", what they had not had before."""
        table = pq.read_table(self.folder / "validation_answers.parquet")
        target, item = (_integers(table, name) for name in ("target", "item"))
        if self.view == "new":
            seen = np.isin(_keys(target, item, self.items), self._seen)
            target, item = target[~seen], item[~seen]
        order = np.argsort(target, kind="stable")
        return Answers(target[order], item[order])

    @cached_property
    def _seen(self) -> Integers:
        return _keys(*self.validation_histories.pairs(), self.items)

    @property
    def measure(self) -> str:
        """By which settings are chosen."""
        return f"ndcg@{self.k}"

    def judged(self, score: Callable[[Histories], Scores]) -> float:
        """Mean NDCG@k over validation targets with an answer; nan where there is none."""
        values = [
            value
            for start, scores_BV in _blocks(self.validation_histories, score, self.items)
            for value in ndcg(self, scores_BV, start)
        ]
        return float(np.mean(values)) if values else math.nan

    def write(self, folder: Path, score: Callable[[Histories], Scores]) -> str:
        """scores.npy block by block, as all of it may exceed the memory; returns who has none."""
        shape = (self.targets, self.items)
        path = folder / "scores.npy"
        scores_TV = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        unranked = 0
        for start, scores_BV in _blocks(self.histories, score, self.items):
            scores_TV[start : start + len(scores_BV)] = scores_BV
            unranked += int((~np.isfinite(scores_BV).any(axis=1)).sum())
        scores_TV.flush()
        if unranked == self.targets:
            raise SystemExit(
                "it can rank for none of the targets: it knows owners of the log alone, none of "
                "whom asks"
            )
        return f"nothing ranked for {unranked} of {self.targets} targets" if unranked else ""

    def titles(self, column: str = "title") -> list[str]:
        """A text of each item, in the order of their numbers; empty where there is none."""
        table = pq.read_table(self.folder / "items.parquet", columns=["item", column])
        texts = [""] * self.items
        columns = (table[name].to_pylist() for name in ("item", column))
        for item, text in zip(*columns, strict=True):
            texts[item] = text or ""
        return texts

    def _log(self, part: Part | None) -> Log:
        filters = [("part", "=", part)] if part else None
        table = pq.read_table(self.folder / "interactions.parquet", filters=filters)
        return Log(*(_integers(table, name) for name in ("owner", "item", "at")))


def read_task(folder: Path) -> Task:
    """The task of a folder."""
    told: dict[str, Any] = json.loads((folder / "task.json").read_text())
    named = {name: told[name] for name in Task.__dataclass_fields__ if name in told}
    return Task(folder, **named)


def ndcg(task: Task, scores_BV: Scores, first: int = 0) -> list[float]:
    """NDCG@k of a block of validation targets, one number each; those without an answer left out.

    ``sum of 1 / log2(rank + 1)`` over answers within k, over its largest value; items of equal
    score share their places' mean. An item scored -inf is at no place.

    Args:
        task: Whose answers count.
        scores_BV: ``[B, V]`` of the targets ``first`` to ``first + B``.
        first: Number of the block's first target.
    """
    answers, block = task.validation_answers, len(scores_BV)
    begin, end = np.searchsorted(answers.target_P, [first, first + block])
    row_P, item_P = answers.target_P[begin:end] - first, answers.item_P[begin:end]
    if task.view == "new":
        scores_BV = np.array(scores_BV)
        had = task.validation_histories.block(first, first + block)
        scores_BV[had.pairs()] = -np.inf
    gain_P = _expected_gains(scores_BV, row_P, item_P, task.k)
    asked = np.bincount(row_P, minlength=block)
    gained = np.bincount(row_P, weights=gain_P, minlength=block)
    best = _gain_of_first(task.k)[np.minimum(asked, task.k)]
    return [float(value) for value in gained[asked > 0] / best[asked > 0]]


def _expected_gains(scores_BV: Scores, row_P: Integers, item_P: Integers, k: int) -> Any:
    score_P = scores_BV[row_P, item_P]
    places = min(k, scores_BV.shape[1])
    kth_B = np.partition(scores_BV, -places, axis=1)[:, -places]
    gain_P = np.zeros(len(row_P))
    upto = _gain_of_first(k)
    for pair in np.flatnonzero((score_P >= kth_B[row_P]) & np.isfinite(score_P)):
        row = scores_BV[row_P[pair]]
        better = int((row > score_P[pair]).sum())
        equal = int((row == score_P[pair]).sum())
        gain_P[pair] = (upto[min(better + equal, k)] - upto[min(better, k)]) / equal
    return gain_P


def _gain_of_first(k: int) -> Any:
    return np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(k) + 2))])


def _histories(path: Path) -> Histories:
    table = pq.read_table(path).sort_by("target")
    lists = table["items"].combine_chunks()
    sizes = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return Histories(
        _integers(table, "owner"),
        _integers(table, "at"),
        lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


def _blocks(
    histories: Histories, score: Callable[[Histories], Scores], items: int
) -> Iterator[tuple[int, Scores]]:
    for start in range(0, len(histories), _BLOCK):
        block = histories.block(start, min(start + _BLOCK, len(histories)))
        scores_BV = np.asarray(score(block), dtype=np.float32)
        if scores_BV.shape != (len(block), items) or np.isnan(scores_BV).any():
            raise SystemExit(
                f"scores of targets {start} to {start + len(block)}: expected {len(block)} rows "
                f"of {items} numbers, got {scores_BV.shape}, {np.isnan(scores_BV).sum()} are nan"
            )
        yield start, scores_BV


def _integers(table: Any, name: str) -> Integers:
    numbers: Integers = table[name].to_numpy().astype(np.int64)
    return numbers


def _keys(target: Integers, item: Integers, items: int) -> Integers:
    return target * items + item
