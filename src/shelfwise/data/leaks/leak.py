"""A leak that was found: what it is, how many rows show it, and the first of them in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from shelfwise.data.split import moment_text

SHOWN = 3  # rows that a message names


class Leak(NamedTuple):
    """One kind of leak; ``rows`` of what (``of``) show it."""

    what: str
    rows: int
    of: str
    first: tuple[str, ...]

    def line(self) -> str:
        """The leak as one line of a message."""
        return f"  {self.what}: {self.of} {self.rows:,}, first: {'; '.join(self.first)}"


def leak_of_requests(what: str, numbers: pl.Series, requests: pl.DataFrame) -> list[Leak]:
    """The leak of these request numbers, with repeats and in any order; none where there are none.

    Args:
        what: the leak in words.
        numbers: of ``requests``.
        requests: columns ``request, at, request_id``.
    """
    numbers = numbers.unique().sort()
    if numbers.is_empty():
        return []
    named = requests.filter(pl.col("request").is_in(numbers.head(SHOWN).implode()))
    first = tuple(
        f"number {number} at {moment_text(at)}" + (f", request_id {name}" if name else "")
        for number, at, name in named.select("request", "at", "request_id").iter_rows()
    )
    return [Leak(what, len(numbers), "requests", first)]


def leak_of_rows(what: str, rows: pl.DataFrame) -> list[Leak]:
    """The leak of these rows, the first with all their columns; none where there are none."""
    if rows.is_empty():
        return []
    first = tuple(
        ", ".join(_cell(name, value) for name, value in row.items())
        for row in rows.head(SHOWN).iter_rows(named=True)
    )
    return [Leak(what, len(rows), "rows", first)]


def _cell(name: str, value: object) -> str:
    if isinstance(value, int) and (name == "at" or name.endswith("_at")):
        return f"{name} {moment_text(value)}"
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


def joined(found: Iterable[list[Leak]]) -> list[Leak]:
    """Leaks of several checks in one list."""
    return [leak for leaks in found for leak in leaks]
