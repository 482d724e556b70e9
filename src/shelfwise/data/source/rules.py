"""Rules that rows must keep, as data; and the one function that holds rows against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


class Judgement(NamedTuple):
    """Rows that keep the rules, the others with their reason, and what to tell."""

    kept: pl.DataFrame
    rejects: pl.DataFrame  # as REJECTS
    groups: list[FaultGroup]
    notes: list[str]


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


def judge(frame: pl.DataFrame, rules: Sequence[Rule]) -> Judgement:
    """Hold every row against every rule; a row is rejected once, by its first rule."""
    broken = frame.select(rule.bad.fill_null(False).alias(str(i)) for i, rule in enumerate(rules))
    rejected = pl.Series([False]).new_from_index(0, frame.height)
    rejects, groups, notes = [pl.DataFrame(schema=REJECTS)], [], []
    for i, rule in enumerate(rules):
        bad = broken[str(i)]
        if not bad.any():
            continue
        rows = frame.filter(bad).select(FILE, ROW, _found(frame, rule.column))
        first_time = ~rejected.filter(bad)
        for (file,), part in rows.with_columns(first_time.alias("first")).group_by(
            FILE, maintain_order=True
        ):
            if rule.outcome == "note":
                notes.append(f"{file}: {rule.rule} (rows: {part.height:,}); {rule.fix}")
                continue
            in_column = frame.filter(pl.col(FILE) == file)
            group = _group(rule, str(file), part, in_column)
            groups.append(group)
            if rule.outcome == "reject":
                rejects.append(_rejects(rule, group.code, part.filter("first")))
        if rule.outcome == "reject":
            rejected |= bad
    return Judgement(frame.filter(~rejected), pl.concat(rejects), groups, notes)


def _found(frame: pl.DataFrame, column: str) -> pl.Expr:
    """The text the file had in the column; what is too long for a message is cut later."""
    names = [name for name in (raw_name(column), column) if name in frame.columns]
    texts = [pl.col(name).cast(pl.String) for name in names]
    return pl.coalesce(*texts, pl.lit("(empty)")).alias("found")


def _group(rule: Rule, file: str, part: pl.DataFrame, of_file: pl.DataFrame) -> FaultGroup:
    if rule.of_type:
        filled = of_file.filter(~absent(rule.column)).height
        if filled >= _ENOUGH and part.height * 2 > filled:
            return _whole_column(rule, file, part, filled)
    examples = tuple(
        Fault(file, row, rule.column, shorten(found), rule.rule, _fix(rule, found), rule.code)
        for row, found in part.head(EXAMPLES_KEPT).select(ROW, "found").iter_rows()
    )
    return FaultGroup(part.height, examples)


_ENOUGH = 3  # values, from which on "most of them" means the column and not a slip


def _whole_column(rule: Rule, file: str, part: pl.DataFrame, filled: int) -> FaultGroup:
    share = part.height / filled
    found = f"{part.height:,} of {filled:,} values ({share:.0%}), first: {part['found'][0]}"
    fix = f"{rule.fix}; or map another column to {rule.column} in shop.toml"
    fault = Fault(file, None, rule.column, shorten(found), rule.rule, fix, "wrong-type")
    return FaultGroup(part.height, (fault,))


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
