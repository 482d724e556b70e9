"""The two moments that part training, validation and test; and what a split without them is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import polars as pl

from shelfwise.data.config import SplitOptions
from shelfwise.schema.errors import DataError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
LATER = "later"  # requests after the test of an earlier window: in no part, looked at by nobody
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moments(NamedTuple):
    """Times in microseconds since 1970; a part is ``[its start, the next start)``.

    A split that is not by time has no such moments: all three are the log's end.
    """

    first: int  # the log's first event
    validation: int
    test: int
    end: int  # one microsecond after the test's last moment, usually the log's last event

    def start_of(self, part: Part) -> int:
        return {"train": self.first, "validation": self.validation, "test": self.test}[part]

    def end_of(self, part: Part) -> int:
        return {"train": self.validation, "validation": self.test, "test": self.end}[part]

    def known_until(self, parts: Sequence[Part]) -> int:
        """Moment as of which outcomes of ``parts`` are known: the end of the last of them."""
        return max(self.end_of(part) for part in parts)


def split_moments(first: int, last: int, options: SplitOptions) -> Moments:
    """Place the split inside a log that runs from ``first`` to ``last`` (microseconds, inclusive).

    Raises:
        DataError: a part would be left without time.
    """
    match options.kind:
        case "time":
            moments = _one_split(first, last, options)
        case "rolling":
            moments = rolling_moments(first, last, options)[(options.window or options.windows) - 1]
        case "leave_last_out" | "cold_items" | "cold_queries":
            return Moments(first, last + 1, last + 1, last + 1)
    if not first < moments.validation < moments.test < moments.end <= last + 1:
        raise DataError(
            f"[split]: the log runs from {moment_text(first)} to {moment_text(last)}, so "
            f"validation from {moment_text(moments.validation)} and test from "
            f"{moment_text(moments.test)} would leave a part empty; they must lie in that order "
            "inside the log"
        )
    return moments


def _one_split(first: int, last: int, options: SplitOptions) -> Moments:
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
    return Moments(first, validation, test, last + 1)


def rolling_moments(first: int, last: int, options: SplitOptions) -> list[Moments]:
    """Forward-chaining windows, the earliest first: each trains on all that came before it.

    Tests of equal length stand one after the other up to the log's end; each has a validation of
    equal length just before it, which the test before may overlap.
    """
    span = last + 1 - first
    test, validation = int(span * options.test_share), int(span * options.validation_share)
    ends = [last + 1 - later * test for later in reversed(range(options.windows))]
    return [Moments(first, end - test - validation, end - test, end) for end in ends]


def split_warning(options: SplitOptions) -> str | None:
    """What must be said wherever figures of this split are shown; None where nothing must."""
    if options.kind == "leave_last_out":
        return (
            "split leave_last_out: for comparison with papers; other shoppers' later behaviour is "
            "in training, so the figures are not what a shop would have seen"
        )
    if options.kind in ("cold_items", "cold_queries"):
        what = options.kind.removeprefix("cold_")
        return (
            f"split {options.kind}: {what} are held out by hash, whenever they were met; behaviour "
            "later than the test is in training, so the figures speak of cold "
            f"{what} alone"
        )
    return None


def part_of(at: pl.Expr, moments: Moments) -> pl.Expr:
    """Name of the part that a time in microseconds belongs to."""
    return (
        pl.when(at < moments.validation)
        .then(pl.lit("train"))
        .when(at < moments.test)
        .then(pl.lit("validation"))
        .when(at < moments.end)
        .then(pl.lit("test"))
        .otherwise(pl.lit(LATER))
    )


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_text(at: int) -> str:
    """A time in microseconds as people write it."""
    return (_EPOCH + timedelta(microseconds=int(at))).strftime("%Y-%m-%d %H:%M")
