"""What a comparison of runs found, in numbers and in sentences."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isnan
from typing import Any

from shelfwise.evaluation.report import DataSummary, Row
from shelfwise.evaluation.report_words import (
    MAIN_VIEW,
    Outcome,
    decimals,
    figure,
    interval,
    metric_words,
)
from shelfwise.schema.plain import plain

LEVEL = 0.05  # a corrected p below this, with an interval that excludes 0, is a difference


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """One of the systems compared: a run, or several that differ in nothing but their seed."""

    name: str
    runs: list[str]
    seeds: list[int]
    tasks: list[str]
    shelfwise: str  # version that trained it


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """How much a figure moves with the seed alone."""

    system: str
    task: str
    view: str
    metric: str
    values: dict[str, float]  # by seed
    deviation: float  # standard deviation over the seeds


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of two systems on the same units; ``value`` is a's less b's."""

    a: str
    b: str
    task: str
    view: str
    metric: str
    unit: str  # users, items, texts: what is drawn again and exchanged
    by_distance: bool  # compared is the distance from 1, |ln|, which is better small
    value: float
    low: float  # 95 % interval of the paired difference
    high: float
    p: float  # of a permutation test, two-sided
    p_holm: float  # corrected for all comparisons of the call
    draws: int  # of the permutation test
    exact: bool  # all permutations were looked at
    support: int  # units compared
    seeds: tuple[int, int]

    @property
    def lower_is_better(self) -> bool:
        """Whether a negative difference speaks for ``a``."""
        words = metric_words(self.metric)
        return self.by_distance or (words is not None and words.better != "higher")

    @property
    def for_a(self) -> tuple[float, float, float]:
        """Value, low and high, turned so that above 0 ``a`` is the better one."""
        if self.lower_is_better:
            return -self.value, -self.high, -self.low
        return self.value, self.low, self.high

    @property
    def outcome(self) -> Outcome:
        """What may be claimed of ``a``."""
        if isnan(self.low) or isnan(self.p_holm):
            return "unknown"
        _, low, high = self.for_a
        if self.p_holm >= LEVEL or low <= 0 <= high:
            return "open"
        return "better" if low > 0 else "worse"

    @property
    def half_width(self) -> float:
        """About the smallest difference that this test set could have told."""
        return (self.high - self.low) / 2

    @property
    def where(self) -> str:
        """``ndcg@10 (view new)``, ``log_loss (click, lower is better)``"""
        metric = f"distance of {self.metric} from 1" if self.by_distance else self.metric
        inside = [] if self.task == "match" else [self.task]
        inside += [] if self.view == MAIN_VIEW else [f"view {self.view}"]
        inside += ["lower is better"] if self.lower_is_better else []
        return f"{metric} ({', '.join(inside)})" if inside else metric

    @property
    def units(self) -> str:
        """``1,449 users``"""
        unit = self.unit.removesuffix("s") if self.support == 1 else self.unit
        return f"{self.support:,} {unit}"

    @property
    def sentence(self) -> str:
        """The verdict in plain words, with everything that it rests on."""
        if self.outcome == "unknown":
            return (
                f"Whether {self.a} is better than {self.b} at {self.where} cannot be told from "
                f"{self.units}."
            )
        places = decimals([(self.low, self.high)], most=6)
        said = {
            "better": f"{self.a} is better than {self.b}",
            "worse": f"{self.a} is worse than {self.b}",
            "open": f"No difference can be told between {self.a} and {self.b}",
        }[self.outcome]
        numbers = (
            f"{figure(self.value, places, signed=True)} {interval(self.low, self.high, places)}"
        )
        return f"{said} at {self.where}: {numbers}, {self._p_words()}; {self._support(places)}."

    def _p_words(self) -> str:
        corrected = f"p {p_words(self.p_holm)} after Holm"
        if self.outcome != "open":
            return corrected
        # Worth a word where one of the two alone would have been taken for a finding.
        if self.p_holm < LEVEL:
            return f"{corrected} but the interval holds 0"
        excludes_0 = not self.low <= 0 <= self.high
        return f"p {p_words(self.p)} alone but {corrected}" if excludes_0 else corrected

    def _support(self, places: int) -> str:
        told = f"{self.units}, {seeds_words(self.seeds)}"
        if self.outcome != "open" or not self.low <= 0 <= self.high or self.half_width == 0:
            return told
        least = figure(self.half_width, places)
        return f"{told}; a difference of about {least} could have been told"


@dataclass(frozen=True, slots=True)
class PairSummary:
    """All comparisons of two systems, counted."""

    a: str
    b: str
    better: int
    worse: int
    open: int
    unknown: int

    @property
    def sentence(self) -> str:
        """``large is better than small at 3 of 17 figures and worse at 1; ...``"""
        compared = self.better + self.worse + self.open
        if compared == 0:
            return f"Nothing can be told between {self.a} and {self.b}."
        if not self.better and not self.worse:
            return (
                f"No difference between {self.a} and {self.b} can be told at any of "
                f"{compared} figures."
            )
        others = f"the other {self.open}" if self.open > 1 else "the other"
        open_ones = f"; no difference can be told at {others}" if self.open else ""
        if self.better and self.worse:
            return (
                f"{self.a} is better than {self.b} at {self.better} of {compared} figures and "
                f"worse at {self.worse}{open_ones}."
            )
        first, second = (self.a, self.b) if self.better else (self.b, self.a)
        times = self.better or self.worse
        return f"{first} is better than {second} at {times} of {compared} figures{open_ones}."


@dataclass(frozen=True, slots=True)
class CompareReport:
    """Everything a comparison says; `as_json` is the stable form."""

    protocol: str
    data: DataSummary
    systems: list[SystemFacts]
    grouping: str  # how runs became systems, in a sentence
    options: dict[str, list[str]]  # options that differ: a value of each system
    rows: list[Row]
    spreads: list[SeedSpread]
    comparisons: list[Comparison]
    notes: list[str] = field(default_factory=list)
    reproduce: dict[str, str] = field(default_factory=dict)  # what it takes to get these figures
    seconds: float = 0.0

    @property
    def pairs(self) -> list[PairSummary]:
        """One line for every two systems."""
        found = []
        for a, b in dict.fromkeys((one.a, one.b) for one in self.comparisons):
            outcomes = [one.outcome for one in self.of_pair(a, b)]
            counts = [outcomes.count(name) for name in ("better", "worse", "open", "unknown")]
            found.append(PairSummary(a, b, *counts))
        return found

    def of_pair(self, a: str, b: str) -> list[Comparison]:
        """The comparisons of two systems, the headline's first."""
        return [one for one in self.comparisons if (one.a, one.b) == (a, b)]

    @property
    def tested(self) -> int:
        """Comparisons that Holm's correction counts."""
        return sum(not isnan(one.p) for one in self.comparisons)

    def spread(self, row: Row) -> SeedSpread | None:
        """How far the seeds of a row's system lie apart; None where it has one."""
        wanted = (row.system, row.task, row.view, row.metric)
        for one in self.spreads:
            if (one.system, one.task, one.view, one.metric) == wanted:
                return one
        return None

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null, since JSON has no nan."""
        comparisons = [
            {**asdict(one), "outcome": one.outcome, "verdict": one.sentence}
            for one in self.comparisons
        ]
        told = asdict(self) | {"comparisons": comparisons, "tested": self.tested}
        found: dict[str, Any] = plain(
            {"benchmark": "compare", "verdicts": [pair.sentence for pair in self.pairs], **told}
        )
        return found


def p_words(p: float) -> str:
    """``= .032``, ``< .001``: as p-values are written; ``= 1`` from .9995 on."""
    if p < 0.001:
        return "< .001"
    shown = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return "= 1" if shown.startswith("1") else f"= {shown.lstrip('0')}"


def seeds_words(seeds: tuple[int, int]) -> str:
    """``1 seed``, ``3 seeds``, ``3 and 2 seeds``."""
    a, b = seeds
    if a != b:
        return f"{a} and {b} seeds"
    return f"{a} seed" if a == 1 else f"{a} seeds each"
