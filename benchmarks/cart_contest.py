"""Forecasts of carts and purchases compared on the same test.

Shape suffixes: N = rows of the entire space, T = rows of the test, U = users.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.asking import Asking
from benchmarks.cart_log import CartRanker
from benchmarks.cart_models import Forecast, item_rates, logistic_regression
from benchmarks.cart_pairs import CartPairs, cart_pairs
from benchmarks.result import Result, peak_mib
from benchmarks.shops import shop_of
from shelfwise.evaluation.report import OURS, Difference, Row
from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_rows,
    paired_interval,
)
from shelfwise.metrics.grouped_auc import auc_by_group
from shelfwise.schema.manifest import file_digests, fingerprint_of
from shelfwise.schema.progress import Progress

_SYSTEMS = (OURS, "baselines")
_DRAWS = 200  # each passes over every row
_TASK, _ENTIRE = "conversion", "click and purchase"
_SEED = 0
_NOTES = (
    "`auc` here is `cvr_auc`: purchases among carts. `gauc` is the same within each user, weighed "
    "by carts; users with only bought or only unbought carts are left out of it.",
    "`shelfwise` stands for the shipped network on ids alone: shared request and item vectors, "
    "click and conversion heads over the entire space (ESMM). Single task, shared-bottom, MMoE and "
    "PLE are no options of it yet, so they have no rows. Its log has made-up times: Beibei has no "
    "order, and history and counts, which the ranker lives by, say little.",
)

Weighed = Callable[[NDArray[np.float64]], float]


def compare_carts(words: str, asking: Asking, progress: Progress) -> Result:
    """Every system that was asked for, on the same rows of the test."""
    began = time.perf_counter()
    asking.refuse_unknown(_SYSTEMS)
    with TemporaryDirectory(prefix="conversion-") as folder:
        scratch = Path(folder)
        shop = shop_of(asking.data, "beibei", scratch, asking.settings, progress)
        with progress.step("Parting carts and drawing non-carts"):
            pairs = cart_pairs(shop.folder, _SEED)
        fingerprint = fingerprint_of(
            {"events.parquet": file_digests(shop.folder)["events.parquet"]}
        )
        runs = _forecasts(pairs, asking, scratch, progress)
        name = shop.config().shop.name
    test = _Test.of(pairs)
    with progress.step("Measuring", total=len(runs)) as step:
        rows = []
        for system, answers in runs.items():
            rows += test.rows(system, answers)
            step.advance()
        differences = test.differences(runs)
    return Result(
        benchmark="conversion",
        protocol=f"{words} Budget {asking.minutes:g} minutes a system and seed.",
        data={"name": name, "fingerprint": fingerprint, "counts": pairs.counts()},
        figures={"share of the test's carts that were bought": float(test.bought_C.mean())},
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=rows,
        differences=differences,
        systems=[{"system": s, **one.told} for s, answers in runs.items() for one in answers],
        notes=_NOTES,
    )


def _forecasts(
    pairs: CartPairs, asking: Asking, scratch: Path, progress: Progress
) -> dict[str, list[Forecast]]:
    """Every system's answers, one a seed."""
    runs: dict[str, list[Forecast]] = {}
    if asking.wants(OURS):
        ranker = CartRanker(pairs, scratch, asking.settings, progress)
        runs[OURS] = [ranker.forecast(asking.minutes, seed) for seed in range(asking.seeds)]
    if asking.wants("baselines"):
        with progress.step("Fitting the baselines"):
            for baseline in (item_rates, logistic_regression):
                answer = baseline(pairs)
                runs[answer.system] = [answer]
    return runs


class _Test:
    """The test's carts (C) and its entire space (T), and the figures of answers to them."""

    def __init__(self, pairs: CartPairs, row_T: NDArray[np.int64]) -> None:
        self.row_T = row_T
        self.row_C = row_T[pairs.cart_N[row_T]]
        self.user_T, self.user_C = pairs.user_N[row_T], pairs.user_N[self.row_C]
        self.bought_T, self.bought_C = pairs.bought_N[row_T], pairs.bought_N[self.row_C]

    @classmethod
    def of(cls, pairs: CartPairs) -> _Test:
        return cls(pairs, pairs.rows("test"))

    def rows(self, system: str, answers: Sequence[Forecast]) -> list[dict[str, Any]]:
        """All figures of a system; of several runs the mean counts."""
        auc = _interval(self._auc(answers), self.user_C)
        value_U, weight_U = self._by_user(answers)
        found: list[tuple[str, str, Interval]] = [
            (_TASK, "auc", auc),
            (_TASK, "gauc", bootstrap_interval(value_U, weight_U, seed=_SEED)),
            (_TASK, "cvr_auc", auc),
            (_ENTIRE, "ctcvr_auc", _interval(self._ctcvr_auc(answers), self.user_T)),
        ]
        return [
            asdict(Row(system, "main", task, metric, *interval, seeds=len(answers)))
            for task, metric, interval in found
        ]

    def differences(self, runs: dict[str, list[Forecast]]) -> list[dict[str, Any]]:
        """Ours minus every other, on the same draws of users."""
        found = []
        for system, answers in runs.items():
            if system == OURS or OURS not in runs:
                continue
            ours = runs[OURS]
            (a_U, weight_U), (b_U, _) = self._by_user(ours), self._by_user(answers)
            gaps = {
                "auc": _gap(self._auc(ours), self._auc(answers), self.user_C),
                "gauc": paired_interval(a_U, b_U, weight_U, seed=_SEED),
                "ctcvr_auc": _gap(self._ctcvr_auc(ours), self._ctcvr_auc(answers), self.user_T),
            }
            for metric, gap in gaps.items():
                place = (OURS, system, "main", metric)
                told = Difference(*place, gap.value, gap.low, gap.high, seeds=len(ours))
                found.append(asdict(told))
        return found

    def _auc(self, answers: Sequence[Forecast]) -> Weighed:
        return _mean([SortedAuc.of(one.convert_N[self.row_C], self.bought_C) for one in answers])

    def _ctcvr_auc(self, answers: Sequence[Forecast]) -> Weighed:
        both = [(one.cart_N * one.convert_N)[self.row_T] for one in answers]
        return _mean([SortedAuc.of(p_T, self.bought_T) for p_T in both])

    def _by_user(
        self, answers: Sequence[Forecast]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        groups = [
            auc_by_group(one.convert_N[self.row_C], self.bought_C, self.user_C) for one in answers
        ]
        value_U = np.mean([group.value_G for group in groups], axis=0)
        return value_U, groups[0].rows_G.astype(np.float64)


def _mean(metrics: Sequence[Weighed]) -> Weighed:
    return lambda weight_N: float(np.mean([metric(weight_N) for metric in metrics]))


def _interval(metric: Weighed, user_N: NDArray[np.int64]) -> Interval:
    return bootstrap_rows(metric, user_N, draws=_DRAWS, seed=_SEED)


def _gap(a: Weighed, b: Weighed, user_N: NDArray[np.int64]) -> Interval:
    return _interval(lambda weight_N: a(weight_N) - b(weight_N), user_N)
