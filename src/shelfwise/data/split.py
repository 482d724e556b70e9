"""The two moments that part training, validation and test: the same for everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import polars as pl

from shelfwise.data.config import SplitOptions
from shelfwise.schema.errors import DataError

Part = Literal["train", "validation", "test"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moments(NamedTuple):
    """Times in microseconds since 1970; a part is ``[its start, the next start)``."""

    first: int  # the log's first event
    validation: int
    test: int
    end: int  # one microsecond after the log's last event

    def start_of(self, part: Part) -> int:
        return {"train": self.first, "validation": self.validation, "test": self.test}[part]

    def end_of(self, part: Part) -> int:
        return {"train": self.validation, "validation": self.test, "test": self.end}[part]


def split_moments(first: int, last: int, options: SplitOptions) -> Moments:
    """Place the split inside a log that runs from ``first`` to ``last`` (microseconds, inclusive).

    Raises:
        DataError: a stated moment leaves one of the three parts without time.
    """
    span = last + 1 - first
    test = (
        microseconds(options.test_start)
        if options.test_start
        else last + 1 - int(span * options.test_share)
    )
    validation = (
        microseconds(options.validation_start)
        if options.validation_start
        else test - int(span * options.validation_share)
    )
    if not first < validation < test <= last:
        raise DataError(
            f"[split]: the log runs from {moment_text(first)} to {moment_text(last)}, so "
            f"validation from {moment_text(validation)} and test from {moment_text(test)} would "
            "leave a part empty; they must lie in that order inside the log"
        )
    return Moments(first, validation, test, last + 1)


def part_of(at: pl.Expr, moments: Moments) -> pl.Expr:
    """Name of the part that a time in microseconds belongs to."""
    return (
        pl.when(at < moments.validation)
        .then(pl.lit("train"))
        .when(at < moments.test)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("test"))
    )


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_text(at: int) -> str:
    """A time in microseconds as people write it."""
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%d %H:%M")
