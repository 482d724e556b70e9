"""`shelfwise compare`: several runs side by side on the same test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, command_line, emit, show
from shelfwise.evaluation.report_words import DASH, figure, interval

if TYPE_CHECKING:
    from shelfwise.evaluation.compare_report import CompareReport, SeedSpread
    from shelfwise.evaluation.report import Row


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="Folders that `train` wrote.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Prepared folder, if it is no longer where it was.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the comparison page here.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Score again, even where answers are kept.")
    ] = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Say which of several runs is better, at what, and how sure that is.

    Runs of equal options and different seeds count as one system. Every difference has its
    interval over users and a permutation p, corrected for all comparisons made (Holm).

    Example: shelfwise compare run-a run-b --html compare.html
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.evaluation.compare import Answered
    from shelfwise.evaluation.compare import compare as compare_runs
    from shelfwise.evaluation.compare_page import write_compare_page
    from shelfwise.evaluation.page import refuse_no_place
    from shelfwise.schema.manifest import open_sealed

    first = runs[0]
    config = config_of(first, open_sealed(first, "run"), settings or (), sections=("evaluate",))
    if html is not None:
        refuse_no_place(html)
    answered = Answered(data, fresh, command_line())
    report = compare_runs(runs, config.evaluate, answered, Bars())
    show_comparison(report)
    if html is not None:
        write_compare_page(report, html)
        answer.print(f"page: {html}", markup=False)
    emit(as_json, report.as_json())


def show_comparison(report: CompareReport) -> None:
    """Verdicts first, then the figures they rest on."""
    answer.print(f"[bold]{escape(report.data.name)}[/]")
    if report.data.synthetic:
        answer.print("Synthetic data: the figures show that the parts work, not how good they are.")
    answer.print(report.protocol, markup=False)
    answer.print(report.grouping, markup=False)
    for pair in report.pairs:
        answer.print(f"\n[bold]{escape(pair.sentence)}[/]")
        for one in report.of_pair(pair.a, pair.b):
            answer.print(f"  {one.sentence}", markup=False)
    answer.print(f"\nHolm's correction counts {report.tested} comparisons.")
    for task, view in dict.fromkeys((row.task, row.view) for row in report.rows):
        show(_table(report, task, view))
    for note in report.notes:
        answer.print(f"note: {note}", style="dim", markup=False)


def _table(report: CompareReport, task: str, view: str) -> Table:
    rows = [row for row in report.rows if (row.task, row.view) == (task, view)]
    title = task if view == "main" else f"{task}, view {view}"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("system")
    for metric in dict.fromkeys(row.metric for row in rows):
        table.add_column(metric, justify="right")
    for system in dict.fromkeys(row.system for row in rows):
        cells = [_cell(row, report.spread(row)) for row in rows if row.system == system]
        table.add_row(escape(system), *cells)
    return table


def _cell(row: Row, spread: SeedSpread | None) -> str:
    if row.support == 0:
        return DASH
    told = f"{figure(row.value, 4)} [dim]{escape(interval(row.low, row.high, 4))}"
    return f"{told} ±{figure(spread.deviation, 4)} between seeds[/]" if spread else f"{told}[/]"
