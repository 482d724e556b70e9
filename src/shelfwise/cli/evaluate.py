"""`shelfwise evaluate`: a run measured on its test part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, command_line, emit, show
from shelfwise.evaluation.report_words import DASH, figure, interval, sentence

if TYPE_CHECKING:
    from shelfwise.evaluation.report import Report, Row


def evaluate(  # noqa: PLR0913  # the flags of a command
    run: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    data: Annotated[
        Path | None, typer.Option(help="Prepared folder, if it is no longer where it was.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="The sample shop's truth file, for the oracle's rows.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report page here.")] = None,
    folds: Annotated[
        Path | None, typer.Option(help="Folder of `cross-validate`, shown on the page.")
    ] = None,
    curve: Annotated[
        Path | None, typer.Option(help="Folder of `learning-curve`, shown on the page.")
    ] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Measure a run on the test part, with intervals and baselines on the same rows.

    Example: shelfwise evaluate run --html report.html --json
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.evaluation.evaluate import Measured
    from shelfwise.evaluation.evaluate import evaluate as evaluate_run
    from shelfwise.evaluation.page import refuse_no_place, write_page
    from shelfwise.schema.manifest import open_sealed

    config = config_of(run, open_sealed(run, "run"), settings or (), sections=("evaluate",))
    if html is not None:
        refuse_no_place(html)
    measured = Measured(data, truth, folds, curve, command_line())
    report = evaluate_run(run, config.evaluate, measured, Bars())
    show_report(report)
    if html is not None:
        write_page(report, html)
        answer.print(f"report: {html}")
    emit(as_json, report.as_json())


def show_report(report: Report) -> None:
    """The figures as tables, the verdicts as sentences."""
    answer.print(f"[bold]{escape(report.data.name)}[/]")
    if report.data.synthetic:
        answer.print("Synthetic data: the figures show that the parts work, not how good they are.")
    answer.print(escape(report.protocol))
    text = report.classification_text()
    if text:
        answer.print(escape(text))
    sections = {(row.task, row.view) for row in report.rows if row.task != "classification"}
    order = [key for row in report.rows if (key := (row.task, row.view)) in sections]
    for task, view in dict.fromkeys(order):
        show(_table(report, task, view))
    for gap in report.differences:
        if gap.view == report.headline:
            answer.print(sentence(gap), markup=False)
    for note in report.notes:
        answer.print(f"note: {note}", style="dim", markup=False)


def _table(report: Report, task: str, view: str) -> Table:
    rows = [row for row in report.rows if (row.task, row.view) == (task, view)]
    metrics = list(dict.fromkeys(row.metric for row in rows))
    title = task if view == "main" else f"{task}, view {view}"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("system")
    for metric in metrics:
        table.add_column(metric, justify="right")
    table.add_column("support", justify="right")
    for system in dict.fromkeys(row.system for row in rows):
        mine = {row.metric: row for row in rows if row.system == system}
        cells = [_cell(mine[m]) if m in mine else DASH for m in metrics]
        support = max(row.support for row in mine.values())
        table.add_row(escape(system), *cells, f"{support:,}")
    return table


def _cell(row: Row) -> str:
    return f"{figure(row.value, 4)} [dim]{escape(interval(row.low, row.high, 4))}[/]"
