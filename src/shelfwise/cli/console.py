"""How commands talk: progress and words on stderr, the answer on stdout, JSON as its last line."""

from __future__ import annotations

import inspect
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
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
from rich.table import Table

from shelfwise.schema.plain import plain
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

_TOLD_AFTER = 2.0  # seconds; a shorter step is worth no line in a log
_ENDLESS = 1_000_000  # columns


class Bars:
    """Progress on stderr: a bar on a terminal, elsewhere a line for each step that took time."""

    @contextmanager
    def step(self, description: str, total: float | None = None) -> Iterator[Step]:
        """Show ``description`` while the block runs, or how long it ran."""
        with _bar(description, total) if words.is_terminal else _line(description) as step:
            yield step


@contextmanager
def _bar(description: str, total: float | None) -> Iterator[Step]:
    progress = RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
        console=words,
        transient=True,
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


@contextmanager
def _line(description: str) -> Iterator[Step]:
    began, step = monotonic(), _LineStep()
    yield step
    seconds = monotonic() - began
    if seconds > _TOLD_AFTER:
        note = f" ({step.last})" if step.last else ""
        typer.echo(f"{description}: {seconds:.1f} s{note}", err=True)


class _LineStep:
    def __init__(self) -> None:
        self.last = ""

    def advance(self, amount: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        self.last = text


def show(table: Table) -> None:
    """Print a table, never hiding a part of a cell.

    On a terminal a long cell goes on below; where a program reads, a row is one line.
    """
    width = None if answer.is_terminal else _ENDLESS
    for column in table.columns:
        column.overflow = "fold"
    Console(highlight=False, width=width).print(table)


def emit(as_json: bool, values: Mapping[str, Any]) -> None:
    """The machine's answer, if it was asked for."""
    if as_json:
        typer.echo(json.dumps(plain(values), ensure_ascii=False, allow_nan=False))


def command_line() -> str:
    """How the program was called, fit to be pasted into a shell."""
    return shlex.join(["shelfwise", *sys.argv[1:]])


def help_of(command: Callable[..., None]) -> str:
    """A command's docstring, its example on a line that is not wrapped."""
    text, _, example = (inspect.getdoc(command) or "").partition("Example: ")
    assert example, f"{command.__name__} shows no example"
    return f"{text.rstrip()}\n\n\b\nExample:\n  {example}"
