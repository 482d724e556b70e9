"""`shelfwise cross-validate`: the same training on several folds of a prepared shop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit, show
from shelfwise.evaluation.report_words import figure, interval

if TYPE_CHECKING:
    from shelfwise.evaluation.cross_validation import CrossValidation


def cross_validate(
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for the folds; finished ones are kept.")],
    by: Annotated[
        Literal["user", "time"], typer.Option(help="Other users, or later and later times.")
    ] = "user",
    folds: Annotated[int, typer.Option(min=2, help="How many trainings.")] = 5,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Train and judge on several folds, without reading the test; goes on where it was stopped.

    Example: shelfwise cross-validate prepared --out folds --by time --folds 3
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.data.prepared import logged_or_labelled, open_prepared
    from shelfwise.evaluation.cross_validation import cross_validate as validate
    from shelfwise.evaluation.pieces import Setting
    from shelfwise.training.course import Course

    shop = logged_or_labelled(open_prepared(prepared))
    sections = ("model", "adaptation", "tasks", "train", "evaluate")
    config = config_of(prepared, shop.manifest, settings or (), sections=sections)
    course = Course(tasks=config.tasks, adaptation=config.adaptation)
    setting = Setting(config.model, config.train, config.evaluate, course)
    found = validate(shop, out, setting, by, folds, Bars())
    _show(found)
    emit(as_json, found.as_json())


def _show(found: CrossValidation) -> None:
    """The headline view's figures of every system, fold by fold."""
    answer.print(escape(found.protocol))
    table = Table(box=None)
    for name in ("task", "metric", "system"):
        table.add_column(name)
    for fold in found.folds:
        table.add_column(fold.name, justify="right")
    table.add_column("mean", justify="right")
    for spread in found.spreads:
        if spread.view in (found.headline, "main") or found.by == "text":
            mean = (
                f"{figure(spread.mean, 4)} [dim]{escape(interval(spread.low, spread.high, 4))}[/]"
            )
            values = (figure(value, 4) for value in spread.value_F)
            metric = spread.metric if spread.view == "main" else f"{spread.metric}, {spread.view}"
            table.add_row(spread.task, metric, escape(spread.system), *values, mean)
    show(table)
    answer.print(
        "Intervals of the mean by Student's t over the folds; folds share training data, so they "
        "are somewhat too narrow.",
        style="dim",
    )
