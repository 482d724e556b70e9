"""What learning against adversaries buys, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.console import Budget, Keep, Seeds, Settings, Systems, Write, listed, tell
from shelfwise.cli.console import AsJson, Bars

PROTOCOL = (
    "The same training with and without each adversary or defence, each for at most the same "
    "minutes (a refit takes as long again), then attacked on the test: {attacks}. Gradients are "
    "held in another norm than adversaries learn with; texts read with typos know three of the "
    "nine kinds of noise. View `main`: all that is asked, without attack; the others: an attack "
    "at its strongest, and the same requests without it. Robustness of a system: the mean over "
    "attacks of the area under its curve over that of a figure that nothing harms. Costs are told "
    "by train_speed. Of a log no suspected fraud is asked, of a drawn shop no bot, found or not. "
    "Intervals over users or queries."
)


def robustness(  # noqa: PLR0913  # the options of a command
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Home Depot's or Beauty's files, or a shop; else a sample shop of bots.",
        ),
    ] = None,
    seeds: Seeds = 3,
    budget: Budget = 4.0,
    systems: Systems = None,
    settings: Settings = None,
    keep: Keep = None,
    radius: Annotated[
        list[float] | None,
        typer.Option(
            min=0.01,
            help="Of FGM, PGD, FreeLB: share of a row's length (.3); given several times, attacks "
            "on validation choose one for each.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trainings at a time.")] = 1,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """Clean figure and what attacks leave of it, with and without adversaries and defences.

    Example: python benchmarks/run.py robustness --data beauty --radius 0.3 --radius 0.6 --json
    """
    from benchmarks.asking import Asking
    from benchmarks.robustness_contest import Manner, compare_hardened

    asked = (seeds, budget, listed(systems), tuple(settings or ()))
    asking = Asking(data or Path(), *asked, keep=keep)
    manner = Manner(tuple(radius or (0.3,)), workers)
    found = compare_hardened(PROTOCOL, asking, manner, Bars(), drawn=data is None)
    tell(found, as_json, write)
