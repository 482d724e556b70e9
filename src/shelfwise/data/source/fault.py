"""What is wrong with a file or a row, said so that its owner can put it right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

EXAMPLES_KEPT = 5  # per file, code and column; counts stay exact
_FOUND_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: where, what was found, the rule it breaks and the way out."""

    file: str
    row: int | None  # 1 is the first row after the header; None: the whole file
    column: str  # empty where the whole row or file is meant
    found: str
    rule: str
    fix: str
    code: str  # stable name of the rule, for scripts
    fatal: bool = False  # the file cannot be used at all


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """All faults of one code in one column of one file."""

    count: int
    examples: tuple[Fault, ...]  # the first few, at least one

    @property
    def file(self) -> str:
        return self.examples[0].file

    @property
    def column(self) -> str:
        return self.examples[0].column

    @property
    def code(self) -> str:
        return self.examples[0].code

    @property
    def rule(self) -> str:
        return self.examples[0].rule

    @property
    def fatal(self) -> bool:
        return any(example.fatal for example in self.examples)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is a fault, before it is known where."""

    code: str
    rule: str
    fix: str

    def at_file(self, file: str, found: str, *, column: str = "", fatal: bool = False) -> Fault:
        return Fault(file, None, column, shorten(found), self.rule, self.fix, self.code, fatal)

    def at_row(self, file: str, row: int, found: str) -> Fault:
        return Fault(file, row, "", shorten(found), self.rule, self.fix, self.code)


def group(faults: Iterable[Fault]) -> list[FaultGroup]:
    """Gather faults of one file, code and column, in the order of their first appearance."""
    places: dict[tuple[str, str, str], int] = {}
    numbered = [
        (places.setdefault((fault.file, fault.code, fault.column), len(places)), fault)
        for fault in faults
    ]
    numbered.sort(key=lambda pair: pair[0])
    groups = []
    for _, members in groupby(numbered, key=lambda pair: pair[0]):
        alike = [fault for _, fault in members]
        groups.append(FaultGroup(len(alike), tuple(alike[:EXAMPLES_KEPT])))
    return groups


def shorten(text: str) -> str:
    """``text`` on one line, cut to what fits a message; what is cut is said."""
    line = " ".join(text[: 2 * _FOUND_LENGTH].split())
    if len(text) <= _FOUND_LENGTH:
        return line
    return f"{line[:_FOUND_LENGTH]}… ({len(text):,} characters)"
