"""What a diagnosis says: one sentence, the figures it rests on, and one thing to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isnan
from typing import Literal

from shelfwise.evaluation.report_words import amount, interval
from shelfwise.metrics.bootstrap import Interval

Severity = Literal["illness", "warning", "note", "fine"]
SEVERITIES: tuple[Severity, ...] = ("illness", "warning", "note", "fine")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A figure behind a finding, with its 95 % interval where one can be given."""

    name: str
    value: float  # nan where it cannot be computed; support is then 0
    low: float = float("nan")
    high: float = float("nan")
    support: int = 0
    of: str = ""  # what support counts: users, rows, items

    @classmethod
    def of_interval(cls, name: str, found: Interval, of: str = "users") -> Evidence:
        return cls(name, found.value, found.low, found.high, found.support, of)

    @property
    def words(self) -> str:
        """``click AUC, trained on 0.812 [0.801, 0.823] (391 users)``"""
        value = "cannot be computed" if isnan(self.value) else _written(self.value)
        parts = [f"{self.name} {value}", interval(self.low, self.high)]
        if self.support:
            parts.append(f"({self.support:,} {self.of})".replace(" )", ")"))
        return " ".join(part for part in parts if part)


def _written(value: float) -> str:
    return amount(value) if abs(value) >= 100 or value == int(value) else f"{value:.3f}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a run, or that was looked at and is not."""

    name: str  # overfit, underfit, leaked feature, ...
    severity: Severity
    sentence: str
    evidence: list[Evidence] = field(default_factory=list)
    action: str = ""


def most_severe_first(findings: Iterable[Finding]) -> list[Finding]:
    """Of equal severity, causes stand before their effects: the order they were looked for in."""
    return sorted(findings, key=lambda one: SEVERITIES.index(one.severity))


def is_ill(findings: Iterable[Finding]) -> bool:
    """Whether anything is wrong that a figure should not be believed with."""
    return any(one.severity == "illness" for one in findings)
