"""Slices on a page: a group for each metric, a picture for each column, all of them as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from shelfwise.evaluation.diagnosis_plots import slice_forest
from shelfwise.evaluation.plots import Plot
from shelfwise.evaluation.report_words import figure, interval, metric_words
from shelfwise.evaluation.slices.slices import Slice, Slices

_MOST_BARS = 10  # slices in one picture; a column of more is told in the table alone


class SliceGroup(NamedTuple):
    """One metric of one task, slice by slice."""

    title: str
    meaning: str
    whole: str
    support: str
    plots: list[Plot]
    table: Slices
    worst: str


def slice_groups(
    tables: Sequence[Slices], worst: Mapping[tuple[str, str], str] | None = None
) -> Iterator[SliceGroup]:
    """A group for each table that has slices.

    Args:
        tables: one a task and metric.
        worst: what is said of the worst slices of a task and metric.
    """
    for table in tables:
        if not table.slices:
            continue
        columns: dict[str, list[Slice]] = {}
        for one in table.slices:
            columns.setdefault(one.where[0][0], []).append(one)
        plots = [
            Plot(name.capitalize(), slice_forest(table, slices))
            for name, slices in columns.items()
            if 1 < len(slices) <= _MOST_BARS
        ]
        words = metric_words(table.metric)
        yield SliceGroup(
            title=f"{table.task.capitalize()} {table.metric}",
            meaning=f"{words.meaning}; {words.better} is better" if words else "",
            whole=f"{figure(table.value)} {interval(table.low, table.high)}",
            support=f"{table.rows:,} rows",
            plots=plots,
            table=table,
            worst=(worst or {}).get((table.task, table.metric), ""),
        )
