"""`shelfwise diagnose`: what is wrong with a run, and one thing to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from shelfwise.cli.console import AsJson, Bars, answer, emit

if TYPE_CHECKING:
    from shelfwise.evaluation.diagnosis.diagnose import Diagnosis
    from shelfwise.evaluation.diagnosis.finding import Finding

_MARKS = {"illness": "[red]x[/]", "warning": "[yellow]![/]", "note": "-", "fine": "[green]ok[/]"}
_FIGURES = 6  # of a finding that is fine; the others show all


def diagnose(
    run: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    data: Annotated[
        Path | None, typer.Option(help="Prepared folder, if it is no longer where it was.")
    ] = None,
    part: Annotated[
        Literal["validation", "test"] | None,
        typer.Option(help="Where verdicts are read; left out, what the run has not learned from."),
    ] = None,
    single: Annotated[
        list[Path] | None,
        typer.Option(help="A run on the same data with fewer tasks, to tell gains; may repeat."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Examine a run: overfit, underfit, leaks, labels, calibration, titles, conflict, dead parts.

    Example: shelfwise diagnose run --html diagnosis.html
    """
    from shelfwise.evaluation.diagnosis.diagnose import diagnose as examine
    from shelfwise.evaluation.diagnosis_page import write_diagnosis_page
    from shelfwise.evaluation.page import refuse_no_place

    if html is not None:
        refuse_no_place(html)
    found = examine(run, data, part, single or (), Bars())
    _show(found)
    if html is not None:
        write_diagnosis_page(found, html)
        answer.print(f"page: {html}", markup=False)
    emit(as_json, found.as_json())


def _show(found: Diagnosis) -> None:
    answer.print(found.name, style="bold", markup=False)
    if found.synthetic:
        answer.print("Synthetic data: the figures show that the parts work, not how good they are.")
    answer.print(found.protocol, markup=False)
    answer.print(found.verdict, style="bold", markup=False)
    for finding in found.findings:
        _show_finding(finding)
    for note in found.notes:
        answer.print(f"note: {note}", style="dim", markup=False)


def _show_finding(finding: Finding) -> None:
    answer.print(f"\n{_MARKS[finding.severity]} [bold]{finding.name}[/]")
    answer.print(f"  {finding.sentence}", markup=False)
    shown = finding.evidence[:_FIGURES] if finding.severity == "fine" else finding.evidence
    for figure in shown:
        answer.print(f"    {figure.words}", style="dim", markup=False)
    if finding.action:
        answer.print(f"  do: {finding.action}", markup=False)
