"""The command line: one thin command a verb, assembled here."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import shelfwise
from shelfwise.cli.ab import ab
from shelfwise.cli.ablate import ablate
from shelfwise.cli.attack import attack
from shelfwise.cli.calibrate import calibrate
from shelfwise.cli.check import check
from shelfwise.cli.compare import compare
from shelfwise.cli.console import emit, help_of
from shelfwise.cli.cross_validate import cross_validate
from shelfwise.cli.datasets import datasets
from shelfwise.cli.demo import demo
from shelfwise.cli.diagnose import diagnose
from shelfwise.cli.encoder import encoder
from shelfwise.cli.evaluate import evaluate
from shelfwise.cli.init import init
from shelfwise.cli.learning_curve import learning_curve
from shelfwise.cli.lr_range import lr_range
from shelfwise.cli.off_policy import off_policy
from shelfwise.cli.prepare import prepare
from shelfwise.cli.pull import pull
from shelfwise.cli.rank import rank
from shelfwise.cli.sample import sample
from shelfwise.cli.serve import serve
from shelfwise.cli.train import train
from shelfwise.cli.tune import tune
from shelfwise.schema.errors import ShelfwiseError

_INTERRUPTED = 130  # what typer makes of Ctrl-C

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="One fine-tuned language model that ranks a shop's search, recommendations and ads.",
)
app.add_typer(datasets, name="datasets")
app.add_typer(ab, name="ab")
app.add_typer(encoder, name="encoder")
_COMMANDS = (
    init,
    sample,
    pull,
    check,
    prepare,
    train,
    evaluate,
    compare,
    lr_range,
    tune,
    ablate,
    diagnose,
    attack,
    calibrate,
    cross_validate,
    learning_curve,
    off_policy,
    rank,
    serve,
    demo,
)
for command in _COMMANDS:
    app.command(help=help_of(command))(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shelfwise {shelfwise.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # the callback prints it
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which one."),
    ] = False,
) -> None:
    """One fine-tuned language model that ranks a shop's search, recommendations and ads."""


def main() -> None:
    """Entry point: a user's mistake is one message and exit 1; a bug keeps its traceback."""
    try:
        app(prog_name="shelfwise")
    except ShelfwiseError as error:
        _fail(f"error: {error}", str(error))
        sys.exit(1)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            _fail(
                "interrupted: no half-written output is left behind, but for the checkpoints that "
                "`train --resume` goes on from",
                "interrupted",
            )
        raise


def _fail(message: str, error: str) -> None:
    typer.echo(message, err=True)
    emit("--json" in sys.argv, {"ok": False, "error": error})
