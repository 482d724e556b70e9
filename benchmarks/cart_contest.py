"""Forecasts of carts and purchases compared on the same test.

Shape suffixes: N = rows of the entire space, T = rows of the test, U = users.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.asking import Asking
from benchmarks.cart_kept import KeptRanker
from benchmarks.cart_log import CartRanker
from benchmarks.cart_models import Forecast, item_rates, logistic_regression, one_rate
from benchmarks.cart_pairs import CartPairs, cart_pairs
from benchmarks.cart_peers import digest_of, forecast_of, read_forecast, write_pairs
from benchmarks.cart_variants import VARIANTS
from benchmarks.failing import counted_as_failed
from benchmarks.kept import Arrays, Kept
from benchmarks.peer_process import peer_names
from benchmarks.peers_in_turn import Turns
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

_SYSTEMS = (OURS, *(variant.name for variant in VARIANTS), "baselines", "peers")
_SINGLE, _SHARED, *_FINER = (variant.name for variant in VARIANTS)
_PLAINER = {_SHARED: (_SINGLE,)} | dict.fromkeys(_FINER, (_SINGLE, _SHARED))
_DRAWS = 200  # each passes over every row
_TASK, _ENTIRE = "conversion", "click and purchase"
_SEED = 0
_NOTES = (
    "`auc` here is `cvr_auc`: purchases among carts. `gauc` is the same within each user, weighed "
    "by carts; users with only bought or only unbought carts are left out of it.",
    "`shelfwise` is the variant of it that validation chose, by AUC of purchases among carts, mean "
    "over the seeds. "
    + "; ".join(f"`{variant.name}`: {variant.words}" for variant in VARIANTS)
    + ". Two networks have half of the time each. The log that all of them learn from has made-up "
    "times, as Beibei has no order: a user's training carts are dealt to a few visits.",
)

Weighed = Callable[[NDArray[np.float64]], float]


def compare_carts(words: str, asking: Asking, progress: Progress) -> Result:
    """Every system that was asked for, on the same rows of the test."""
    began = time.perf_counter()
    asking.refuse_unknown([*_SYSTEMS, *peer_names(asking.scripts, "forecast")])
    with TemporaryDirectory(prefix="conversion-") as folder:
        scratch = Path(folder)
        shop = shop_of(asking.data, "beibei", scratch, asking.settings, progress)
        with progress.step("Parting carts and drawing non-carts"):
            pairs = cart_pairs(shop.folder, _SEED)
        fingerprint = fingerprint_of(
            {"events.parquet": file_digests(shop.folder)["events.parquet"]}
        )
        answered = _forecasts(pairs, asking, scratch, progress)
        name = shop.config().shop.name
    test, runs = answered.test, answered.runs
    with progress.step("Measuring", total=len(runs)) as step:
        rows = []
        for system, answers in runs.items():
            rows += test.rows(system, answers)
            step.advance()
        rows += answered.failed
        differences = test.differences(runs, OURS, [s for s in runs if s != answered.chosen])
        for variant in VARIANTS:
            # What is gained by sharing at all, and by how.
            differences += test.differences(runs, variant.name, _PLAINER.get(variant.name, ()))
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


@dataclass(slots=True)
class _Answered:
    """Every system's answers, one a seed, and why some have none."""

    pairs: CartPairs
    test: _Test
    kept: Kept
    runs: dict[str, list[Forecast]] = field(default_factory=dict)
    failed: list[dict[str, Any]] = field(default_factory=list)
    chosen: str = ""  # which variant is ours

    def hold(self, answer: Forecast) -> bool:
        """False where it is that of the last seed."""
        runs = self.runs.setdefault(answer.system, [])
        if runs and self.test.same(runs[-1], answer):
            return False
        runs.append(answer)
        told = {"system": answer.system, "seed": len(runs) - 1}
        self.kept.note([told | figure for figure in self.test.plain(answer)])
        return True

    def choose(self, names: Sequence[str]) -> None:
        """Hold as ours the variant that knows most of validation's purchases."""

        def known(name: str) -> float:
            return float(
                np.mean([one.told["validation"]["convert_auc"] for one in self.runs[name]])
            )

        if answered := [name for name in names if name in self.runs]:
            best = max(answered, key=known)
            self.chosen = best
            told = {"chosen": best, "validation": {"convert_auc": known(best)}}
            self.runs[OURS] = [
                one._replace(system=OURS, told={**told, "seed": one.told["seed"]})
                for one in self.runs[best]
            ]

    def fail(self, system: str, reason: str) -> None:
        self.failed.append({"system": system, "failed": reason})
        self.kept.note(self.failed[-1:])


def _forecasts(pairs: CartPairs, asking: Asking, scratch: Path, progress: Progress) -> _Answered:
    answered = _Answered(pairs, _Test.of(pairs), Kept(asking.keep))
    answered.hold(one_rate(pairs))
    task = write_pairs(pairs, "conversion", scratch / "task")
    _ours(answered, asking, task, progress)
    if asking.wants("baselines"):
        with progress.step("Fitting the baselines"):
            for baseline in (item_rates, logistic_regression):
                with counted_as_failed(answered.fail, baseline.__name__.replace("_", " ")):
                    answered.hold(baseline(pairs))
    if any(asking.wants("peers", name) for name in peer_names(asking.scripts, "forecast")):
        _peers(answered, asking, task, progress)
    return answered


def _ours(answered: _Answered, asking: Asking, task: Path, progress: Progress) -> None:
    """Every variant that was asked for, and the one of them that validation chose."""
    variants = [variant for variant in VARIANTS if asking.wants(OURS, variant.name)]
    if not variants:
        return
    with counted_as_failed(answered.fail, OURS):
        ranker = CartRanker(answered.pairs, task.parent, asking.settings, progress)
        kept = KeptRanker(ranker, asking, digest_of(task, answered.pairs))
        with progress.step("Variants", total=len(variants) * asking.seeds) as bar:
            for variant in variants:
                with counted_as_failed(answered.fail, variant.name):
                    for seed in range(asking.seeds):
                        answered.hold(kept.forecast(variant, seed))
                        bar.advance()
    answered.choose([variant.name for variant in variants])


def _peers(answered: _Answered, asking: Asking, task: Path, progress: Progress) -> None:
    pairs = answered.pairs
    tested = len(pairs.rows("test"))

    def hold(system: str, arrays: Arrays, about: dict[str, Any]) -> bool:
        told = {name: value for name, value in about.items() if name != "system"}
        return answered.hold(forecast_of(pairs, system, arrays, told))

    Turns(
        "forecast",
        task,
        digest_of(task, pairs),
        lambda out: read_forecast(out, tested),
        hold,
        answered.fail,
    ).ask(asking, progress)


class _Once:
    """A metric that every comparison asks for the same draws: each is worked out once."""

    def __init__(self, metric: Weighed) -> None:
        self._metric = metric
        self._known: dict[bytes, float] = {}

    def __call__(self, weight_N: NDArray[np.float64]) -> float:
        draw = hashlib.blake2b(weight_N.tobytes(), digest_size=16).digest()
        if draw not in self._known:
            self._known[draw] = self._metric(weight_N)
        return self._known[draw]


class _Test:
    """The test's carts (C) and its entire space (T), and the figures of answers to them."""

    def __init__(self, pairs: CartPairs, row_T: NDArray[np.int64]) -> None:
        self.row_T = row_T
        self._kept: dict[tuple[Any, ...], tuple[Weighed, list[Forecast]]] = {}
        self.row_C = row_T[pairs.cart_N[row_T]]
        self.user_T, self.user_C = pairs.user_N[row_T], pairs.user_N[self.row_C]
        self.bought_T, self.bought_C = pairs.bought_N[row_T], pairs.bought_N[self.row_C]

    @classmethod
    def of(cls, pairs: CartPairs) -> _Test:
        return cls(pairs, pairs.rows("test"))

    def same(self, one: Forecast, other: Forecast) -> bool:
        """Whether two answers are one on all rows that are judged."""
        both = ((one.cart_N, other.cart_N), (one.convert_N, other.convert_N))
        return all(np.array_equal(a[self.row_T], b[self.row_T], equal_nan=True) for a, b in both)

    def plain(self, answer: Forecast) -> list[dict[str, Any]]:
        """One answer's figures, without intervals."""
        auc, ctcvr_auc = self._auc([answer]), self._ctcvr_auc([answer])
        ones_C, ones_T = np.ones(len(self.row_C)), np.ones(len(self.row_T))
        return [
            {"view": "main", "task": _TASK, "metric": "cvr_auc", "value": auc(ones_C)},
            {"view": "main", "task": _ENTIRE, "metric": "ctcvr_auc", "value": ctcvr_auc(ones_T)},
        ]

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

    def differences(
        self, runs: dict[str, list[Forecast]], a: str, others: Sequence[str]
    ) -> list[dict[str, Any]]:
        """``a`` minus each of the others, on the same draws of users."""
        found = []
        for b in others:
            if b == a or not {a, b} <= set(runs):
                continue
            ours, answers = runs[a], runs[b]
            (a_U, weight_U), (b_U, _) = self._by_user(ours), self._by_user(answers)
            gaps = {
                "auc": _gap(self._auc(ours), self._auc(answers), self.user_C),
                "gauc": paired_interval(a_U, b_U, weight_U, seed=_SEED),
                "ctcvr_auc": _gap(self._ctcvr_auc(ours), self._ctcvr_auc(answers), self.user_T),
            }
            for metric, gap in gaps.items():
                told = Difference(a, b, "main", metric, *gap[:3], seeds=len(ours))
                found.append(asdict(told))
        return found

    def _auc(self, answers: Sequence[Forecast]) -> Weighed:
        return self._once("auc", answers, self._plain_auc)

    def _ctcvr_auc(self, answers: Sequence[Forecast]) -> Weighed:
        return self._once("ctcvr_auc", answers, self._plain_ctcvr_auc)

    def _once(
        self,
        name: str,
        answers: Sequence[Forecast],
        made: Callable[[Sequence[Forecast]], Weighed],
    ) -> Weighed:
        key = (name, *(id(one.cart_N) for one in answers), *(id(one.convert_N) for one in answers))
        if key not in self._kept:
            # The answers are held with it, so that no other arrays come by their numbers.
            self._kept[key] = (_Once(made(answers)), list(answers))
        return self._kept[key][0]

    def _plain_auc(self, answers: Sequence[Forecast]) -> Weighed:
        return _mean([_auc_of(one.convert_N[self.row_C], self.bought_C) for one in answers])

    def _plain_ctcvr_auc(self, answers: Sequence[Forecast]) -> Weighed:
        both = [(one.cart_N * one.convert_N)[self.row_T] for one in answers]
        return _mean([_auc_of(p_T, self.bought_T) for p_T in both])

    def _by_user(
        self, answers: Sequence[Forecast]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        value_SU = []
        for one in answers:
            score_C = one.convert_N[self.row_C]
            missing = bool(np.isnan(score_C).any())
            groups = auc_by_group(np.nan_to_num(score_C), self.bought_C, self.user_C)
            value_SU.append(np.full_like(groups.value_G, np.nan) if missing else groups.value_G)
        return np.mean(value_SU, axis=0), groups.rows_G.astype(np.float64)


def _auc_of(score_N: NDArray[np.float64], label_N: NDArray[np.bool_]) -> Weighed:
    """nan of a system that does not forecast this."""
    return (lambda _: float("nan")) if np.isnan(score_N).any() else SortedAuc.of(score_N, label_N)


def _mean(metrics: Sequence[Weighed]) -> Weighed:
    return lambda weight_N: float(np.mean([metric(weight_N) for metric in metrics]))


def _interval(metric: Weighed, user_N: NDArray[np.int64]) -> Interval:
    return bootstrap_rows(metric, user_N, draws=_DRAWS, seed=_SEED)


def _gap(a: Weighed, b: Weighed, user_N: NDArray[np.int64]) -> Interval:
    return _interval(lambda weight_N: a(weight_N) - b(weight_N), user_N)
