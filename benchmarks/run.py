"""`python benchmarks/run.py NAME ...`: one benchmark, by its protocol in docs/benchmarks.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

# So that `python benchmarks/run.py` finds its neighbours, wherever it is called from.
sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.table import Table

from benchmarks.result import Result
from shelfwise.cli.console import AsJson, Bars, answer, emit, help_of, show

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Measure Shelfwise by fixed protocols; the last line with --json is one JSON object.",
)


def prepare_speed(
    events: Annotated[int, typer.Option(min=50_000, help="Size of the sample shop.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 3,
    data: Annotated[
        Path | None, typer.Option(help="A shop folder instead of a sample shop.")
    ] = None,
    growth: Annotated[bool, typer.Option(help="Also prepare ten times as many events.")] = True,
    as_json: AsJson = False,
) -> None:
    """Rows a second of `shelfwise prepare`, its memory, and the ratio to the same in pandas.

    Example: python benchmarks/run.py prepare_speed --events 1000000 --json
    """
    from benchmarks.prepare_speed import prepare_speed as measure

    tell(measure(events, rounds, data, growth, Bars()), as_json)


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


@app.callback()
def _benchmarks() -> None:
    """Measure Shelfwise by fixed protocols."""


for command in (prepare_speed,):
    app.command(command.__name__, help=help_of(command))(command)

if __name__ == "__main__":
    app()
