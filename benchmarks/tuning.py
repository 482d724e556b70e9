"""Bayesian search against chance and a grid at an equal number of trials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.console import Budget, Data, Seeds, Settings, Write, tell
from shelfwise.cli.console import AsJson, Bars

GRID = Path(__file__).parent / "results" / "tuning_online_retail.csv"


def tuning(
    trials: Annotated[int, typer.Option(min=10, help="Trials of a search.")] = 60,
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each kind.")] = 10,
    results: Annotated[Path, typer.Option(help="The grid that tuning_grid made.")] = GRID,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """How soon a Bayesian search finds what chance finds at last, and what is then still missing.

    Example: python benchmarks/run.py tuning --seeds 10 --json
    """
    from benchmarks.search_measured import measure

    tell(measure(trials, seeds, results, Bars()), as_json, write)


def tuning_grid(
    data: Data,
    out: Annotated[
        Path, typer.Option(help="CSV file; cells that it has are not made again.")
    ] = GRID,
    workers: Annotated[int, typer.Option(min=1, help="Processes, of one thread each.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Train every cell of the grid that `tuning` looks values up in.

    Example: python benchmarks/run.py tuning_grid --data online_retail --out grid.csv
    """
    from benchmarks.search_grid import make_grid

    tell(make_grid(data, out, workers, Bars()), as_json)


def tuning_live(  # noqa: PLR0913  # the options of a command
    data: Data,
    trials: Annotated[int, typer.Option(min=8, help="Trials of the Bayesian search.")] = 20,
    seeds: Seeds = 1,
    budget: Budget = 0.5,
    settings: Settings = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """A Bayesian search on Home Depot's judgements, against twice as many trials by chance.

    Example: python benchmarks/run.py tuning_live --data home_depot --budget 0.5 --json
    """
    from benchmarks.search_live import compare_searches

    found = compare_searches(data, (trials, seeds), budget, tuple(settings or ()), Bars())
    tell(found, as_json, write)
