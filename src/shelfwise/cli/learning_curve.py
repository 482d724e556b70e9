"""`shelfwise learning-curve`: would more data help?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit, show
from shelfwise.evaluation.report_words import figure, interval

if TYPE_CHECKING:
    from shelfwise.evaluation.learning_curve import LearningCurves


def learning_curve(
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for the trainings; finished ones are kept.")],
    shares: Annotated[str, typer.Option(help="Shares of the users, with commas.")] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each share.")] = 1,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Train on growing shares of the users, without reading the test, and extrapolate to twice.

    Goes on where it was stopped; further shares and seeds may be added to the same folder.

    Example: shelfwise learning-curve prepared --out curve --shares 0.1,0.3,1 --seeds 2
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.data.prepared import open_prepared_shop
    from shelfwise.evaluation.learning_curve import SHARES
    from shelfwise.evaluation.learning_curve import learning_curve as measure
    from shelfwise.evaluation.pieces import Setting
    from shelfwise.schema.errors import ConfigError
    from shelfwise.training.course import Course

    try:
        wanted = tuple(float(share) for share in shares.split(",")) if shares else SHARES
    except ValueError as error:
        raise ConfigError(
            f"--shares {shares}: must be numbers with commas between them, such as 0.1,0.3,1"
        ) from error
    shop = open_prepared_shop(prepared)
    sections = ("model", "adaptation", "tasks", "train", "evaluate")
    config = config_of(prepared, shop.manifest, settings or (), sections=sections)
    course = Course(tasks=config.tasks, adaptation=config.adaptation)
    setting = Setting(config.model, config.train, config.evaluate, course)
    found = measure(shop, out, setting, wanted, seeds, Bars())
    _show(found)
    emit(as_json, found.as_json())


def _show(found: LearningCurves) -> None:
    """The headline view's figures by size of training, and what twice the data would bring."""
    answer.print(escape(found.protocol))
    table = Table(box=None)
    for name in ("task", "metric", "training requests", "seed", "value"):
        table.add_column(name, justify="left" if name in ("task", "metric") else "right")
    curves = [curve for curve in found.curves if curve.view in (found.headline, "main")]
    for curve in curves:
        for point in curve.points:
            value = f"{figure(point.value, 4)} [dim]{escape(interval(point.low, point.high, 4))}[/]"
            size = f"{point.requests:,}"
            table.add_row(curve.task, curve.metric, size, str(point.seed), value)
    show(table)
    for curve in curves:
        answer.print(f"{curve.task}, {curve.sentence}", markup=False)
