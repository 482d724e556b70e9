"""A comparison of runs as one page for a browser: whole in a single file, without scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.compare_plots import difference_forest
from shelfwise.evaluation.compare_report import (
    CompareReport,
    Comparison,
    PairSummary,
    p_words,
    seeds_words,
)
from shelfwise.evaluation.metric_tables import Cell
from shelfwise.evaluation.page import page_environment, refuse_no_place
from shelfwise.evaluation.plots import Plot, difference_strip
from shelfwise.evaluation.report import Difference, Row
from shelfwise.evaluation.report_words import (
    DASH,
    MAIN_VIEW,
    TASK_TITLES,
    decimals,
    figure,
    interval,
    metric_words,
)

_TEMPLATE = "compare.html.j2"


def compare_page(report: CompareReport) -> str:
    """The page as HTML; a section without data is left out."""
    pairs = list(_pairs(report))
    parts = {
        "verdicts": pairs,
        "differences": pairs,
        "figures": list(_tables(report)),
        "systems": report.systems,
        "protocol": report.protocol,
        "notes": report.notes,
        "reproduce": report.reproduce,
    }
    return (
        page_environment()
        .get_template(_TEMPLATE)
        .render(
            report=report,
            title=_title([system.name for system in report.systems]),
            sections=[section for section in _SECTIONS if parts[section.id]],
            pairs=pairs,
            figures=parts["figures"],
            glossary=_glossary(report),
        )
    )


def write_compare_page(report: CompareReport, file: Path) -> None:
    """Write the page to ``file``, whole or not at all.

    Raises:
        ConfigError: as `refuse_no_place`.
    """
    refuse_no_place(file)
    write_whole(file, compare_page(report))


class _Section(NamedTuple):
    id: str
    title: str


_SECTIONS = (
    _Section("verdicts", "Verdicts"),
    _Section("differences", "Differences"),
    _Section("figures", "Figures"),
    _Section("systems", "Systems"),
    _Section("protocol", "Protocol"),
    _Section("notes", "Notes"),
    _Section("reproduce", "How to get these figures again"),
)


class _Verdict(NamedTuple):
    outcome: str
    sentence: str
    strip: Markup


class _Line(NamedTuple):
    """One comparison, ready to be read."""

    name: str
    outcome: str
    value: str
    interval: str
    p: str
    p_holm: str
    support: str


class _Pair(NamedTuple):
    """Two systems on the page."""

    a: str
    b: str
    sentence: str
    first: list[_Verdict]  # what can be claimed, and the headline figure in any case
    rest: list[_Verdict]
    plots: list[Plot]
    lines: list[_Line]
    units: str


class _Table(NamedTuple):
    """Systems by metrics, for one task and view."""

    title: str
    view: str
    support: str
    metrics: list[str]
    systems: dict[str, list[Cell | None]]


def _title(names: Sequence[str]) -> str:
    if len(names) == 2:
        return f"{names[0]} against {names[1]}"
    return f"{', '.join(names[:-1])} and {names[-1]} side by side"


def _pairs(report: CompareReport) -> Iterator[_Pair]:
    limits: dict[tuple[str, str], float] = {}  # strips of one figure share a scale
    for one in report.comparisons:
        reach = max((abs(end) for end in (one.low, one.high) if isfinite(end)), default=0.0)
        place = (one.task, one.metric)
        limits[place] = max(limits.get(place, 0.0), reach)
    for pair in report.pairs:
        yield _pair(pair, report.of_pair(pair.a, pair.b), limits)


def _pair(
    pair: PairSummary, compared: list[Comparison], limits: dict[tuple[str, str], float]
) -> _Pair:
    first: list[_Verdict] = []
    rest: list[_Verdict] = []
    for place, one in enumerate(compared):
        said = one.sentence.replace("p = ", "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        verdict = _Verdict(one.outcome, said, _strip(one, limits[one.task, one.metric]))
        (first if place == 0 or one.outcome in ("better", "worse") else rest).append(verdict)
    tasks = list(dict.fromkeys(one.task for one in compared))
    return _Pair(
        a=pair.a,
        b=pair.b,
        sentence=pair.sentence,
        first=first,
        rest=rest,
        plots=[
            Plot(task.capitalize(), difference_forest([o for o in compared if o.task == task]))
            for task in tasks
        ],
        lines=[_line(one) for one in compared],
        units=" or ".join(dict.fromkeys(one.unit for one in compared)),
    )


def _strip(one: Comparison, limit: float) -> Markup:
    """To the right where ``a`` is better, as in the forest."""
    value, low, high = one.for_a
    turned = Difference(one.a, one.b, one.view, one.metric, value, low, high)
    return difference_strip(turned, limit, one.outcome)


def _line(one: Comparison) -> _Line:
    places = decimals([(one.low, one.high)], most=6)
    return _Line(
        name=one.where,
        outcome=one.outcome,
        value=figure(one.value, places, signed=True),
        interval=interval(one.low, one.high, places),
        p=_p(one.p),
        p_holm=_p(one.p_holm),
        support=f"{one.units}, {seeds_words(one.seeds)}",
    )


def _p(p: float) -> str:
    return p_words(p).removeprefix("= ") if isfinite(p) else DASH


def _tables(report: CompareReport) -> Iterator[_Table]:
    units = {(one.task, one.metric): one.unit for one in report.comparisons}
    for task, view in dict.fromkeys((row.task, row.view) for row in report.rows):
        rows = [row for row in report.rows if (row.task, row.view) == (task, view)]
        metrics = list(dict.fromkeys(row.metric for row in rows))
        yield _Table(
            title=TASK_TITLES.get(task, task),
            view="" if view == MAIN_VIEW else view,
            support=_support(rows, units),
            metrics=metrics,
            systems={
                system: [
                    _cell(report, row, [r for r in rows if r.metric == row.metric])
                    for row in rows
                    if row.system == system
                ]
                for system in dict.fromkeys(row.system for row in rows)
            },
        )


def _support(rows: Sequence[Row], units: dict[tuple[str, str], str]) -> str:
    """What the figures of a table rest on; those that rest on fewer are named."""
    # What one system alone has is not compared, and is a figure of users.
    told = {
        row.metric: f"{row.support:,} {units.get((row.task, row.metric), 'users')}" for row in rows
    }
    usual = Counter(told.values()).most_common(1)[0][0]
    others = [f"; {metric} on {words}" for metric, words in told.items() if words != usual]
    return f"Rests on {usual}{''.join(others)}."


def _cell(report: CompareReport, row: Row, column: Sequence[Row]) -> Cell:
    places = decimals([(one.low, one.high) for one in column])
    spread = report.spread(row)
    return Cell(
        figure(row.value, places),
        interval(row.low, row.high, places),
        f"± {figure(spread.deviation, places)} between seeds" if spread else "",
    )


def _glossary(report: CompareReport) -> dict[str, str]:
    said = {row.metric: metric_words(row.metric) for row in report.rows}
    return {
        metric: f"{words.meaning}; {words.better} is better"
        for metric, words in said.items()
        if words
    }
