"""What the commands of all benchmarks share: their options, and how an answer is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.result import Result
from shelfwise.cli.console import answer, emit, show

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
    typer.Option(help="Systems to run, separated by commas; left out, all."),
]
Write = Annotated[
    Path | None,
    typer.Option(help="Markdown file in which this benchmark's section is replaced."),
]


def tell(result: Result, as_json: bool) -> None:
    """The figures as a table, then, if asked, everything as JSON."""
    table = Table("figure", "value", box=None)
    for name, value in result.figures.items():
        table.add_row(name, "-" if value is None else f"{value:,.2f}")
    for row in result.rows:
        value = row.get("value", row.get("failed"))
        shown = f"{value:,.2f}" if isinstance(value, int | float) else str(value)
        table.add_row(f"{row['system']} {row.get('metric', '')}", shown)
    answer.print(result.protocol, markup=False)
    show(table)
    emit(as_json, result.plain())
