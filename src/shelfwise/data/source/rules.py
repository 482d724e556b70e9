"""Rules that rows must keep, as data; and the one function that holds rows against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, NamedTuple

import polars as pl

from shelfwise.data.source.fault import EXAMPLES_KEPT, Fault, FaultGroup, shorten
from shelfwise.data.source.typed import FILE, ROW, raw_name

Outcome = Literal["reject", "report", "note"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wrong with a row, and what becomes of it.

    A "reject" costs the row its place; a "report" is a fault whose row stays; a "note" is
    worth telling and no fault.
    """

    code: str
    column: str
    bad: pl.Expr  # true in the rows that break the rule; null counts as false
    rule: str
    fix: str
    outcome: Outcome = "reject"
    choices: tuple[str, ...] = ()  # values that the found one may have been meant for
    of_type: bool = False  # if most of the column breaks it, the column has the wrong type
    only_beside: pl.Expr | None = None  # told only of files that have such a row


@dataclass(slots=True)
class _Tally:
    """What one rule found in one file so far."""

    rule: Rule
    file: str
    count: int = 0
    filled: int = 0  # values of the column, for rules of type
    beside: bool = False
    examples: list[Fault] = field(default_factory=list)
    first: str = ""  # the first value that broke the rule


class Judgement(NamedTuple):
    """Rows that keep the rules, and the others with their reason."""

    kept: pl.DataFrame
    rejects: pl.DataFrame  # as REJECTS


# The file's own row, as JSON in `raw`, is added where the file is at hand.
REJECTS = pl.Schema(
    {
        FILE: pl.String,
        ROW: pl.Int64,
        "column": pl.String,
        "code": pl.String,
        "found": pl.String,
        "rule": pl.String,
    }
)


def raw(column: str) -> pl.Expr:
    """What the file said in a column that is not text."""
    return pl.col(raw_name(column))


def unreadable(column: str) -> pl.Expr:
    return raw(column).is_not_null() & pl.col(column).is_null()


def absent(column: str) -> pl.Expr:
    """The file says nothing; for columns that are not text."""
    return raw(column).is_null() & pl.col(column).is_null()


class Judge:
    """Holds rows against rules, some at a time, and remembers what to tell of all of them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self._tallies: dict[tuple[int, str], _Tally] = {}

    def judge(self, frame: pl.DataFrame) -> Judgement:
        """Hold every row against every rule; a row is rejected once, by its first rule."""
        broken = frame.select(
            rule.bad.fill_null(False).alias(str(i)) for i, rule in enumerate(self.rules)
        )
        self._look_around(frame)
        rejected = pl.Series([False]).new_from_index(0, frame.height)
        rejects = [pl.DataFrame(schema=REJECTS)]
        for i, rule in enumerate(self.rules):
            bad = broken[str(i)]
            if not bad.any():
                continue
            rows = frame.filter(bad).select(FILE, ROW, _found(frame, rule.column))
            rows = rows.with_columns((~rejected.filter(bad)).alias("first"))
            for (file,), part in rows.group_by(FILE, maintain_order=True):
                self._remember(i, str(file), part)
                if rule.outcome == "reject":
                    rejects.append(_rejects(rule, rule.code, part.filter("first")))
            if rule.outcome == "reject":
                rejected |= bad
        kept = frame.filter(~rejected) if rejected.any() else frame
        return Judgement(kept, pl.concat(rejects))

    def _tally(self, place: int, file: str) -> _Tally:
        return self._tallies.setdefault((place, file), _Tally(self.rules[place], file))

    def _look_around(self, frame: pl.DataFrame) -> None:
        """Count what rules want to know of rows that keep them; such rules see one file a time."""
        asked = {
            f"{place}": ~absent(rule.column) if rule.only_beside is None else rule.only_beside
            for place, rule in enumerate(self.rules)
            if rule.of_type or rule.only_beside is not None
        }
        if frame.is_empty() or not asked:
            return
        file = frame[FILE][0]
        counts = frame.select(found.sum().alias(name) for name, found in asked.items())
        for name, count in counts.row(0, named=True).items():
            tally = self._tally(int(name), file)
            tally.filled += count
            tally.beside = tally.beside or count > 0

    def _remember(self, place: int, file: str, part: pl.DataFrame) -> None:
        tally, rule = self._tally(place, file), self.rules[place]
        tally.first = tally.first or part["found"][0]
        tally.count += part.height
        room = EXAMPLES_KEPT - len(tally.examples)
        tally.examples += [
            Fault(file, row, rule.column, shorten(found), rule.rule, _fix(rule, found), rule.code)
            for row, found in part.head(room).select(ROW, "found").iter_rows()
        ]

    def groups(self) -> list[FaultGroup]:
        """The faults of all rows seen, rule by rule."""
        return [_group(tally) for tally in self._told() if tally.rule.outcome != "note"]

    def notes(self) -> list[str]:
        """What is worth telling and no fault."""
        return [
            f"{t.file}: {t.rule.rule} (rows: {t.count:,}); {t.rule.fix}"
            for t in self._told()
            if t.rule.outcome == "note"
        ]

    def wrong_types(self) -> dict[tuple[str, str, str], str]:
        """The code that (file, column, code) became where most of a column breaks its type."""
        return {
            (t.file, t.rule.column, t.rule.code): WRONG_TYPE
            for t in self._told()
            if _is_whole_column(t)
        }

    def _told(self) -> list[_Tally]:
        in_order = [tally for _, tally in sorted(self._tallies.items(), key=lambda one: one[0][0])]
        return [
            tally
            for tally in in_order
            if tally.count and (tally.rule.only_beside is None or tally.beside)
        ]


def _found(frame: pl.DataFrame, column: str) -> pl.Expr:
    """The text the file had in the column; what is too long for a message is cut later."""
    names = [name for name in (raw_name(column), column) if name in frame.columns]
    texts = [pl.col(name).cast(pl.String) for name in names]
    return pl.coalesce(*texts, pl.lit("(empty)")).alias("found")


WRONG_TYPE = "wrong-type"
_ENOUGH = 3  # values, from which on "most of them" means the column and not a slip


def _is_whole_column(tally: _Tally) -> bool:
    return tally.rule.of_type and tally.filled >= _ENOUGH and tally.count * 2 > tally.filled


def _group(tally: _Tally) -> FaultGroup:
    rule = tally.rule
    if not _is_whole_column(tally):
        return FaultGroup(tally.count, tuple(tally.examples))
    share = tally.count / tally.filled
    found = f"{tally.count:,} of {tally.filled:,} values ({share:.0%}), first: {tally.first}"
    fix = f"{rule.fix}; or map another column to {rule.column} in shop.toml"
    fault = Fault(tally.file, None, rule.column, shorten(found), rule.rule, fix, WRONG_TYPE)
    return FaultGroup(tally.count, (fault,))


def _fix(rule: Rule, found: str) -> str:
    near = get_close_matches(found.lower()[:80], rule.choices, n=1)
    return f"did you mean {near[0]}? {rule.fix}" if near else rule.fix


def _rejects(rule: Rule, code: str, part: pl.DataFrame) -> pl.DataFrame:
    return part.select(
        FILE,
        ROW,
        pl.lit(rule.column).alias("column"),
        pl.lit(code).alias("code"),
        pl.Series("found", [shorten(found) for found in part["found"]], pl.String),
        pl.lit(rule.rule).alias("rule"),
    )
