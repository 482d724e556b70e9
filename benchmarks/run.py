"""`python benchmarks/run.py NAME ...`: one benchmark, by its protocol in docs/benchmarks.md.

A new benchmark is one file with its command, and one line in ``_COMMANDS``. Commands import what
they measure inside themselves, so that `--help` starts at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

# So that `python benchmarks/run.py` finds its neighbours, wherever it is called from.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.conversion import conversion
from benchmarks.encoder_modes import encoder_modes
from benchmarks.eshop import eshop
from benchmarks.next_item import next_item
from benchmarks.off_policy import off_policy
from benchmarks.prepare_speed import prepare_speed
from benchmarks.push import push
from benchmarks.relevance import relevance
from benchmarks.retail import retail
from benchmarks.robustness import robustness
from benchmarks.train_speed import train_speed
from benchmarks.truth import truth
from benchmarks.tuning import tuning, tuning_grid, tuning_live
from shelfwise.cli.console import help_of

_COMMANDS = (
    next_item,
    retail,
    eshop,
    relevance,
    conversion,
    off_policy,
    prepare_speed,
    train_speed,
    encoder_modes,
    truth,
    robustness,
    push,
    tuning,
    tuning_grid,
    tuning_live,
)  # fmt: skip  # a line each: several hands add theirs

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Measure Shelfwise by fixed protocols; the last line with --json is one JSON object.",
)


@app.callback()
def _benchmarks() -> None:
    """Measure Shelfwise by fixed protocols."""


for command in _COMMANDS:
    app.command(command.__name__, help=help_of(command))(command)

if __name__ == "__main__":
    app()
