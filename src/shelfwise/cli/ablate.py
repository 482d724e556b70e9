"""`shelfwise ablate`: what each part of the model is worth on a prepared shop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, command_line, emit, show
from shelfwise.evaluation.report_words import figure, interval

if TYPE_CHECKING:
    from shelfwise.evaluation.ablation.report import AblationReport
    from shelfwise.evaluation.compare_report import Comparison

_SECTIONS = ("model", "adaptation", "tasks", "train", "evaluate")


def ablate(  # noqa: PLR0913  # the options of a command
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for the trainings; finished ones are kept.")],
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each variant.")] = 3,
    only: Annotated[
        str | None,
        typer.Option(help="Parts to look at, with commas between: text,ids,history,..."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="At most so long a training.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Train the full model and itself without each part, and compare them on the test.

    Goes on where it was stopped: finished trainings in --out are taken as they are, and more parts
    or seeds may be asked for later. Every variant is trained with every seed.

    Example: shelfwise ablate prepared --out ablation --only text,ids --html ablation.html
    """
    from shelfwise.cli.saved_config import config_of, configured_from
    from shelfwise.data.prepared import open_prepared_shop
    from shelfwise.evaluation.ablation.ablate import Asked
    from shelfwise.evaluation.ablation.ablate import ablate as ablate_shop
    from shelfwise.evaluation.ablation.page import write_ablation_page
    from shelfwise.evaluation.page import refuse_no_place

    shop = open_prepared_shop(prepared)
    asked_for = [*(settings or ()), *([f"train.minutes={minutes}"] if minutes else [])]
    full = config_of(prepared, shop.manifest, asked_for, sections=_SECTIONS)
    if html is not None:
        refuse_no_place(html)

    configured = configured_from(full, "the full model")
    parts = tuple(part.strip() for part in only.split(",")) if only else ()
    report = ablate_shop(shop, out, configured, Asked(parts, seeds, command_line()), Bars())
    _show(report)
    if html is not None:
        write_ablation_page(report, html)
        answer.print(f"page: {html}", markup=False)
    emit(as_json, report.as_json())


def _show(report: AblationReport) -> None:
    """Verdicts, then every figure with the difference to the full model."""
    answer.print(f"[bold]{escape(report.data.name)}[/]")
    if report.data.synthetic:
        answer.print("Synthetic data: the figures show that the parts work, not how good they are.")
    answer.print(report.protocol, markup=False)
    for verdict in report.verdicts:
        answer.print(f"  {verdict}", markup=False)
    for task, view, metric in report.places:
        table = Table(title=f"{task}, {metric}, {view}", title_justify="left", box=None)
        table.add_column("variant")
        for name in ("value", "less the full model"):
            table.add_column(name, justify="right")
        gaps = {one.a: one for one in report.at((task, view, metric))}
        for row in report.rows:
            if (row.task, row.view, row.metric) == (task, view, metric):
                gap = gaps.get(row.system)
                told = _difference(gap) if gap else ""
                table.add_row(escape(row.system), figure(row.value, 4), escape(told))
        show(table)
    for skipped in report.skipped:
        answer.print(f"not tried: {skipped.name}: {skipped.why}", style="dim", markup=False)
    for note in report.notes:
        answer.print(f"note: {note}", style="dim", markup=False)


def _difference(gap: Comparison) -> str:
    return f"{figure(gap.value, 4, signed=True)} {interval(gap.low, gap.high, 4)}"
