"""How commands talk: progress and words on stderr, the answer on stdout, JSON as its last line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as RichProgress,
)

from shelfwise.schema.progress import Step

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Set an option over shop.toml; may be repeated.",
    ),
]

words = Console(stderr=True, highlight=False)
answer = Console(highlight=False, soft_wrap=True)


class Bars:
    """Progress bars on stderr; where it is no terminal, one line when a step ends."""

    @contextmanager
    def step(self, description: str, total: float | None = None) -> Iterator[Step]:
        """Show a bar while the block runs."""
        progress = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=words,
            transient=words.is_terminal,
        )
        with progress:
            task = progress.add_task(description, total=total, note="")
            yield _BarStep(progress, task)
            if total is not None:
                progress.update(task, completed=total)


class _BarStep:
    def __init__(self, progress: RichProgress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, amount: float = 1) -> None:
        self._progress.advance(self._task, amount)

    def note(self, text: str) -> None:
        self._progress.update(self._task, note=text)


def emit(as_json: bool, values: Mapping[str, Any]) -> None:
    """The machine's answer, if it was asked for."""
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False, allow_nan=False))
