"""A metric of a run, slice by slice, each beside all other rows.

Shape suffixes in this file: N = rows, K = rows of a slice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.evaluation.slices.facts import NOT_SAID, OTHER, WEEKDAYS
from shelfwise.evaluation.slices.influence import Gap, gap_of, interval_of, users_of
from shelfwise.evaluation.slices.measure import Measure

FEWEST_ROWS = 100
FEWEST_POSITIVES = 20
FEWEST_USERS = 20  # an interval over fewer is none


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows in which one or two columns have these values."""

    where: tuple[tuple[str, str], ...]  # column, value
    task: str
    metric: str
    rows: int
    positives: int
    users: int
    value: float
    low: float  # 95 % interval, rows of one user moving together
    high: float
    gap: float  # value less that of all other rows
    gap_low: float
    gap_high: float
    p_value: float  # of no such gap, for this slice alone

    @property
    def name(self) -> str:
        """``surface search, query length 1 word``"""
        return ", ".join(f"{column} {value}" for column, value in self.where)


@dataclass(frozen=True, slots=True)
class Slices:
    """All slices of every column under one metric, and the whole they are slices of."""

    task: str
    metric: str
    rows: int
    value: float
    low: float
    high: float
    slices: list[Slice]
    too_small: int  # slices left out for want of rows, positives or users


def slices_of(table: pl.DataFrame, measure: Measure) -> Slices:
    """Every value of every column of ``table`` as a slice.

    Args:
        table: ``[N]`` rows of words, as `facts.slice_table` makes them.
        measure: over the same rows.
    """
    everything = np.arange(len(table))
    whole = interval_of(measure.estimate(everything), measure.owner_N)
    found, too_small = [], 0
    for column, value, rows_K in values_of(table):
        if large_enough(measure, rows_K):
            found.append(slice_of(((column, value),), rows_K, measure))
        else:
            too_small += 1
    return Slices(
        measure.task,
        measure.metric,
        len(table),
        whole.value,
        whole.low,
        whole.high,
        [one for one in found if not np.isnan(one.value)],
        too_small,
    )


def values_of(table: pl.DataFrame) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """Column, value and rows of every slice; a column that says one thing of all is no slice."""
    for name in table.columns:
        groups = table.select(name).with_row_index("row").group_by(name, maintain_order=True).all()
        if len(groups) > 1:
            for value, rows in sorted(groups.iter_rows(), key=lambda row: _in_order(row[0])):
                yield name, value, np.asarray(rows, np.int64)


def _in_order(value: str) -> tuple[int, float, str]:
    """Numbers by their size, days by the week, then words; what stands for many or none last."""
    if value in WEEKDAYS:
        return (0, WEEKDAYS.index(value), "")
    number = re.match(r"-?[\d,.]*\d", value)
    if number:
        return (1, float(number[0].replace(",", "")), value)
    return (3 if value in (OTHER, NOT_SAID) else 2, 0.0, value)


def large_enough(measure: Measure, rows_K: NDArray[np.int64]) -> bool:
    """Whether a slice has enough of everything to be spoken of."""
    return (
        len(rows_K) >= min(FEWEST_ROWS, len(measure.owner_N))
        and int(measure.positive_N[rows_K].sum()) >= FEWEST_POSITIVES
        and users_of(measure.owner_N[rows_K]) >= FEWEST_USERS
    )


def slice_of(
    where: tuple[tuple[str, str], ...], rows_K: NDArray[np.int64], measure: Measure
) -> Slice:
    """One slice beside all other rows."""
    estimate = measure.estimate(rows_K)
    inside = interval_of(estimate, measure.owner_N[rows_K])
    others = np.setdiff1d(np.arange(len(measure.owner_N)), rows_K, assume_unique=True)
    gap = (
        gap_of(
            estimate,
            measure.owner_N[rows_K],
            measure.estimate(others),
            measure.owner_N[others],
        )
        if len(others)
        else Gap(float("nan"), float("nan"), float("nan"), 0, float("nan"))
    )
    return Slice(
        where=where,
        task=measure.task,
        metric=measure.metric,
        rows=len(rows_K),
        positives=int(measure.positive_N[rows_K].sum()),
        users=inside.support,
        value=inside.value,
        low=inside.low,
        high=inside.high,
        gap=gap.value,
        gap_low=gap.low,
        gap_high=gap.high,
        p_value=gap.p_value,
    )
