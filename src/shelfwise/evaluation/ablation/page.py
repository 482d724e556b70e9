"""An ablation as one page for a browser: whole in a single file, without scripts."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import NamedTuple

from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.ablation.plot import variants_plot
from shelfwise.evaluation.ablation.report import AblationReport
from shelfwise.evaluation.compare_report import Comparison, p_words
from shelfwise.evaluation.page import page_environment, refuse_no_place
from shelfwise.evaluation.plots import Plot
from shelfwise.evaluation.report_words import (
    DASH,
    MAIN_VIEW,
    TASK_TITLES,
    decimals,
    figure,
    interval,
    metric_words,
)

_TEMPLATE = "ablation.html.j2"


def ablation_page(report: AblationReport) -> str:
    """The page as HTML."""
    return (
        page_environment()
        .get_template(_TEMPLATE)
        .render(
            report=report,
            plots_of_tasks=_plots(report),
            tables=[_table(report, place) for place in report.places],
            glossary=_glossary(report),
            sections={
                "verdicts": "Verdicts",
                **({"differences": "Differences"} if report.comparisons else {}),
                "figures": "Figures",
                "variants": "Variants",
                "protocol": "Protocol",
                "reproduce": "How to get these figures again",
            },
        )
    )


def write_ablation_page(report: AblationReport, file: Path) -> None:
    """Write the page to ``file``, whole or not at all.

    Raises:
        ConfigError: as `refuse_no_place`.
    """
    refuse_no_place(file)
    write_whole(file, ablation_page(report))


class _Line(NamedTuple):
    """One variant at one figure, ready to be read."""

    name: str
    outcome: str
    value: str
    seeds: str
    gap: str
    interval: str
    p: str


class _Table(NamedTuple):
    title: str
    view: str
    metric: str
    support: str
    lines: list[_Line]


def _plots(report: AblationReport) -> list[Plot]:
    return [
        Plot(task.capitalize(), variants_plot(report.at((task, view, metric))), _at(view, metric))
        for task, view, metric in report.places
    ]


def _at(view: str, metric: str) -> str:
    return metric if view == MAIN_VIEW else f"{metric}, {view}"


def _table(report: AblationReport, place: tuple[str, str, str]) -> _Table:
    task, view, metric = place
    gaps = {one.a: one for one in report.at(place)}
    rows = [row for row in report.rows if (row.task, row.view, row.metric) == place]
    deviations = {
        one.system: one.deviation
        for one in report.spreads
        if (one.task, one.view, one.metric) == place
    }
    places = decimals([(row.low, row.high) for row in rows])
    lines = []
    for row in rows:
        gap = gaps.get(row.system)
        seeds = deviations.get(row.system)
        lines.append(
            _Line(
                name=row.system,
                outcome=gap.outcome if gap else "",
                value=f"{figure(row.value, places)} {interval(row.low, row.high, places)}".rstrip(),
                seeds="" if seeds is None else f"± {figure(seeds, places)} between seeds",
                gap=figure(gap.value, places, signed=True) if gap else "",
                interval=interval(gap.low, gap.high, places) if gap else "",
                p=_p(gap) if gap else "",
            )
        )
    units = next((one.units for one in gaps.values()), "")
    return _Table(
        TASK_TITLES.get(task, task), "" if view == MAIN_VIEW else view, metric, units, lines
    )


def _p(one: Comparison) -> str:
    return p_words(one.p_holm).removeprefix("= ") if isfinite(one.p_holm) else DASH


def _glossary(report: AblationReport) -> dict[str, str]:
    said = {row.metric: metric_words(row.metric) for row in report.rows}
    return {name: words.meaning for name, words in said.items() if words}
