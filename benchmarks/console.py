"""What the commands of all benchmarks share: their options, and how an answer is told."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.result import Result
from benchmarks.section import (
    figure,
    interval,
    metrics_of,
    systems_by_value,
    views_of,
    write_section,
)
from shelfwise.cli.console import Settings, answer, emit, show

__all__ = ["Budget", "Data", "Keep", "Seeds", "Settings", "Systems", "Write", "listed", "tell"]

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        exists=True,
        file_okay=False,
        help="Folder with the data set's published files, or a shop folder.",
    ),
]
Seeds = Annotated[int, typer.Option(min=1, help="Runs of what is drawn by chance.")]
Budget = Annotated[float, typer.Option(min=0.05, help="Minutes of learning for each system.")]
Systems = Annotated[
    str | None,
    typer.Option(
        help="Systems to run, separated by commas: shelfwise, baselines, peers, one peer's name, "
        "or one of its models by LIBRARY/MODEL; left out, all."
    ),
]
Keep = Annotated[
    Path | None,
    typer.Option(
        help="Folder for each run's figures, as it ends. Called again, peers whose task, script, "
        "budget and seed are the same are not asked again, nor, over a whole catalogue, ours of "
        "the same code and options; take an empty folder after a change of metrics or views."
    ),
]
Write = Annotated[
    Path | None,
    typer.Option(help="Markdown file in which this benchmark's section is replaced."),
]


def listed(systems: str | None) -> tuple[str, ...]:
    """The words of `--systems`."""
    return tuple(name.strip() for name in (systems or "").split(",") if name.strip())


def tell(result: Result, as_json: bool, write: Path | None = None) -> None:
    """The figures as tables, then, if asked, a section of a page and everything as JSON."""
    answer.print(result.protocol, markup=False)
    if result.figures:
        table = Table("figure", "value", box=None)
        for name, value in result.figures.items():
            table.add_row(name, "-" if value is None else f"{value:,.4g}")
        show(table)
    for task, view in views_of(result):
        show(_table(result, task, view))
    for row in result.rows:
        if "failed" in row:
            answer.print(f"{row['system']}: no figures: {row['failed']}", markup=False)
    for note in result.notes:
        answer.print(f"note: {note}", markup=False)
    if write is not None:
        write_section(write, result, sys.argv[1:], datetime.now(UTC).date())
        answer.print(f"written: {write}", markup=False)
    emit(as_json, result.plain())


def _table(result: Result, task: str, view: str) -> Table:
    title = f"{task}, view {view}".lstrip(", ")
    table = Table(title=title, title_justify="left", box=None)
    metrics = metrics_of(result, task, view)
    table.add_column("system")
    for metric in metrics:
        table.add_column(metric, justify="right")
    for system, rows in systems_by_value(result, task, view):
        cells = [
            f"{figure(rows[m]['value'])} {interval(rows[m])}" if m in rows else "-" for m in metrics
        ]
        table.add_row(system, *cells)
    return table
