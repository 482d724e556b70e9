"""`shelfwise train`: a run from a prepared folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit, show, words


def train(  # noqa: PLR0913  # the flags of a command
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    begin: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Run to begin from. Of [tasks], those it has not learned are learned on top of "
            "it, and nothing else of it changes; where none is new, all of it learns on.",
        ),
    ] = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--anew",
            help="Go on where a stopped training of OUT was, or forget it and start over.",
        ),
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say how long each phase of a step took.")
    ] = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Learn every task the log supports, and write the run folder.

    Options come from the shop.toml that was prepared; --set reaches [model],
    [adaptation], [tasks] and [train].

    Training writes checkpoints beside OUT until the run is complete. With --resume, a training that
    was killed goes on from the last one, to the same weights as if it had not been (stopped by the
    clock, no two trainings are the same).

    With --from, options are those of that run; --set then reaches [tasks] and [train].

    Example: shelfwise train prepared --out run --set train.epochs=4
    """
    from shelfwise.cli.saved_config import config_of, config_of_run
    from shelfwise.data.prepared import open_prepared
    from shelfwise.training.course import Course
    from shelfwise.training.manner import unfinished_step
    from shelfwise.training.train import train as train_run

    opened = open_prepared(prepared)
    sections = ("model", "adaptation", "tasks", "train")
    if begin is None:
        config = config_of(prepared, opened.manifest, settings or (), sections)
    else:
        config = config_of_run(begin, opened.manifest, settings or ())
    if resume:
        step = unfinished_step(out)
        words.print("nothing to go on from" if step is None else f"going on after step {step}")
    course = Course(
        tasks=config.tasks,
        adaptation=config.adaptation,
        begin=begin,
        unfinished="refuse" if resume is None else "resume" if resume else "anew",
        profile=profile,
    )
    manifest = train_run(opened, out, config.model, config.train, Bars(), course)
    facts = manifest.facts
    answer.print(f"learned: {', '.join(facts['tasks'])}")
    for name, value in facts["validation"].items():
        answer.print(f"validation {name}: {'-' if value is None else f'{value:.4f}'}")
    for name, figure in facts.get("auxiliary_figures", {}).items():
        answer.print(_told(name, figure))
    for warning in facts.get("warnings", []):
        answer.print(f"warning: {warning}", style="yellow", markup=False)
    if profile:
        _show_profile(facts["profile"])
    answer.print(f"{out}: trained; next: shelfwise evaluate {out} --html report.html")
    emit(
        as_json,
        {
            "folder": str(out),
            "tasks": facts["tasks"],
            "validation": facts["validation"],
            "auxiliary": facts.get("auxiliary_figures", {}),
            "warnings": facts.get("warnings", []),
            "best_step": facts["best_step"],
            "seconds": facts["seconds"],
            **({"profile": facts["profile"]} if profile else {}),
        },
    )


def _told(name: str, figure: dict[str, Any]) -> str:
    """A figure of a task beside the main ones, with what looking at nothing gives."""
    if figure["value"] is None:
        return f"validation {name}: - (nothing to judge by)"
    return (
        f"validation {name}: {figure['value']:.4f} "
        f"(without looking {figure['baseline']:.4f}; {figure['support']:,} rows)"
    )


def _show_profile(phases: list[dict[str, Any]]) -> None:
    table = Table("phase", "seconds", "share", "times", title="Where the time of training went")
    for row in phases:
        table.add_row(
            row["phase"], f"{row['seconds']:.2f}", f"{row['share']:.1%}", str(row["times"] or "-")
        )
    show(table)
