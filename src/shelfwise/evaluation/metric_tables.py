"""The rows of a report, arranged as the tables a reader compares in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shelfwise.evaluation.report import Report, Row
from shelfwise.evaluation.report_words import (
    MAIN_VIEW,
    TASK_TITLES,
    decimals,
    figure,
    interval,
    support_words,
)

CLASSIFICATION = "classification"
_PER_CLASS = ("precision", "recall", "f1")
_AVERAGES = ("macro", "weighted", "macro avg", "weighted avg")  # views that are no class


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure; every field is ready to be read."""

    value: str
    interval: str
    support: str  # empty where it is the table's own


@dataclass(frozen=True, slots=True)
class MetricTable:
    """Systems by metrics, for one task and view."""

    task: str
    title: str
    view: str  # empty for the headline view
    support: str  # what a value rests on unless its cell says otherwise
    seeds: int
    metrics: list[str]
    systems: dict[str, list[Cell | None]]  # None: not computed for this system

    @property
    def mixed(self) -> bool:
        """Whether some cells have a support of their own."""
        return any(cell and cell.support for cells in self.systems.values() for cell in cells)


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class, or an average of classes."""

    name: str
    cells: list[Cell | None]
    support: int


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Precision, recall and F1 of every class, for one system."""

    system: str
    metrics: list[str]
    classes: list[ClassLine]
    accuracy: ClassLine | None
    averages: list[ClassLine]


def metric_tables(rows: Iterable[Row]) -> list[MetricTable]:
    """One table per task and view, in the order of the rows; figures of classes are not here."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not _of_a_class(row):
            groups.setdefault((row.task, row.view), []).append(row)
    return [_metric_table(task, view, group) for (task, view), group in groups.items()]


def class_tables(rows: Iterable[Row]) -> list[ClassTable]:
    """One classification report per system that has figures of classes."""
    ours = [row for row in rows if row.task == CLASSIFICATION]
    systems = _in_order(row.system for row in ours if _of_a_class(row))
    return [_class_table(system, [r for r in ours if r.system == system]) for system in systems]


def headline_rows(report: Report) -> list[list[Row]]:
    """For each task, all systems' rows for its first compared metric in the headline view.

    A metric is worth a picture where at least two systems have a value.
    """
    compared = {difference.metric for difference in report.differences}
    views = (report.headline, MAIN_VIEW)
    found: list[list[Row]] = []
    for task in _in_order(row.task for row in report.rows):
        of_task = [row for row in report.rows if row.task == task and not _of_a_class(row)]
        if not of_task:
            continue
        headline = [row for row in of_task if row.view in views] or of_task
        first = next((row for row in headline if row.metric in compared), headline[0])
        rows = [r for r in of_task if (r.metric, r.view) == (first.metric, first.view)]
        if len([row for row in rows if row.support]) > 1:
            found.append(rows)
    return found


def difference_support(report: Report, metric: str, system: str, view: str) -> str:
    """What a difference rests on; empty where tasks share the metric's name."""
    wanted = (metric, system, view)
    rows = [row for row in report.rows if (row.metric, row.system, row.view) == wanted]
    return support_words(rows[0]) if len(rows) == 1 else ""


def _metric_table(task: str, view: str, rows: list[Row]) -> MetricTable:
    metrics = _in_order(row.metric for row in rows)
    usual = Counter(support_words(row) for row in rows).most_common(1)[0][0]
    cells: dict[str, dict[str, Cell]] = {}
    for metric in metrics:
        column = [row for row in rows if row.metric == metric]
        places = _places(column)
        for row in column:
            cells.setdefault(row.system, {})[metric] = _cell(row, places, usual)
    return MetricTable(
        task=task,
        title=TASK_TITLES.get(task, task),
        view="" if view == MAIN_VIEW else view,
        support=usual,
        seeds=max(row.seeds for row in rows),
        metrics=metrics,
        systems={
            system: [by_metric.get(metric) for metric in metrics]
            for system, by_metric in cells.items()
        },
    )


def _class_table(system: str, rows: list[Row]) -> ClassTable:
    of_classes = [row for row in rows if _of_a_class(row)]
    metrics = [name for name in _PER_CLASS if any(row.metric == name for row in of_classes)]
    places = _places(of_classes)
    lines = [
        _class_line(view, metrics, [row for row in of_classes if row.view == view], places)
        for view in _in_order(row.view for row in of_classes)
    ]
    accuracy = [row for row in rows if row.metric == "accuracy"][:1]
    return ClassTable(
        system=system,
        metrics=metrics,
        classes=[line for line in lines if line.name not in _AVERAGES],
        accuracy=_class_line("accuracy", ["accuracy"], accuracy, places) if accuracy else None,
        averages=[line for line in lines if line.name in _AVERAGES],
    )


def _class_line(name: str, metrics: list[str], rows: list[Row], places: int) -> ClassLine:
    cells = {row.metric: _cell(row, places, support_words(row)) for row in rows}
    # The precision of a class that is never predicted rests on nothing; the class still has rows.
    return ClassLine(name, [cells.get(m) for m in metrics], max(row.support for row in rows))


def _of_a_class(row: Row) -> bool:
    return row.task == CLASSIFICATION and row.metric in _PER_CLASS


def _places(rows: list[Row]) -> int:
    return decimals([(row.low, row.high) for row in rows])


def _cell(row: Row, places: int, usual: str) -> Cell:
    support = support_words(row)
    return Cell(
        figure(row.value, places),
        interval(row.low, row.high, places),
        "" if support == usual else support,
    )


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
