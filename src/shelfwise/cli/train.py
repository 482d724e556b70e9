"""`shelfwise train`: a run from a prepared folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit


def train(
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Learn every task the log supports, and write the run folder.

    Options come from the shop.toml that was prepared; --set reaches [model] and [train].

    Example: shelfwise train prepared --out run --set train.epochs=4
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.data.prepared import open_prepared
    from shelfwise.training.train import train as train_run

    opened = open_prepared(prepared)
    config = config_of(prepared, opened.manifest, settings or (), sections=("model", "train"))
    manifest = train_run(opened, out, config.model, config.train, Bars())
    facts = manifest.facts
    answer.print(f"learned: {', '.join(facts['tasks'])}")
    for name, value in facts["validation"].items():
        answer.print(f"validation {name}: {'-' if value is None else f'{value:.4f}'}")
    for warning in facts.get("warnings", []):
        answer.print(f"warning: {warning}", style="yellow", markup=False)
    answer.print(f"{out}: trained; next: shelfwise evaluate {out} --html report.html")
    emit(
        as_json,
        {
            "folder": str(out),
            "tasks": facts["tasks"],
            "validation": facts["validation"],
            "warnings": facts.get("warnings", []),
            "best_step": facts["best_step"],
            "seconds": facts["seconds"],
        },
    )
