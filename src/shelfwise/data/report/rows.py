"""Where every row of every file went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from shelfwise.data.source import TableCounts
from shelfwise.schema.columns import PERSONAL

_EXAMPLES = 3
_LONGEST = 120  # characters of a cell that is shown


@dataclass(frozen=True, slots=True)
class RejectExample:
    file: str
    row: int | None  # None: the file as a whole
    found: str


@dataclass(frozen=True, slots=True)
class RejectReason:
    """Rows refused for one reason."""

    code: str
    column: str
    rule: str
    rows: int
    examples: tuple[RejectExample, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """``rows_in = kept + rejected + duplicates``, for every file and in total."""

    files: tuple[TableCounts, ...]
    rows_in: int
    kept: int
    rejected: int
    duplicates: int
    reasons: tuple[RejectReason, ...]  # the most frequent first


def rows(counts: Sequence[TableCounts], rejects: pl.DataFrame) -> Rows:
    """Totals, and the reasons of the rows that were refused.

    Args:
        counts: one a file.
        rejects: ``file, row, column, code, found, rule``, one row each.
    """
    why = ["code", "column", "rule"]
    reasons = (
        rejects.group_by(why)
        .agg(pl.len().alias("rows"), *(pl.col(c).head(_EXAMPLES) for c in ("file", "row", "found")))
        .sort("rows", *why, descending=[True, False, False, False], nulls_last=True)
    )
    return Rows(
        tuple(counts),
        sum(count.rows_in for count in counts),
        sum(count.kept for count in counts),
        sum(count.rejected for count in counts),
        sum(count.duplicates for count in counts),
        tuple(
            RejectReason(
                row["code"],
                row["column"] or "",
                row["rule"],
                row["rows"],
                tuple(
                    RejectExample(file, place, _shown(found, row["column"]))
                    for file, place, found in zip(
                        row["file"], row["row"], row["found"], strict=True
                    )
                ),
            )
            for row in reasons.iter_rows(named=True)
        ),
    )


def _shown(found: str | None, column: str | None) -> str:
    """A cell as it can be shown: short, no one's id, its control characters by their number."""
    if column in PERSONAL and found:
        return "(a personal id, not shown)"
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in found or "")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
