"""`shelfwise check`: everything wrong with a shop's files, at once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit

if TYPE_CHECKING:
    from shelfwise.data.source.read import ShopTables


def check(
    shop: Annotated[Path, typer.Argument(help="Shop folder, or one table of text and label.")],
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Read a shop's files and print everything wrong with them: file, row, rule and way out.

    Exit code 1 if anything is wrong. Example: shelfwise check myshop
    """
    from shelfwise.config import load_config
    from shelfwise.data.source.read import read_any

    tables = read_any(shop, load_config(shop, settings or ()), Bars())
    show_faults(tables)
    faults = [
        {"count": group.count, "examples": [asdict(one) for one in group.examples]}
        for group in tables.faults
    ]
    emit(
        as_json,
        {
            "ok": not faults,
            "files": [asdict(count) for count in tables.counts],
            "faults": faults,
            "notes": list(tables.notes),
        },
    )
    if faults:
        raise typer.Exit(1)


def show_faults(tables: ShopTables) -> None:
    """Faults with examples, then the counts of every file."""
    for group in tables.faults:
        first = group.examples[0]
        rows = f"{group.count:,} rows" if first.row is not None else "file"
        answer.print(f"[bold red]{escape(first.file)}[/]: {escape(first.rule)} ({rows})")
        for one in group.examples:
            place = f"row {one.row:,}" if one.row is not None else "the file"
            column = f", {one.column}" if one.column else ""
            answer.print(f"    {place}{escape(column)}: found {escape(one.found) or 'nothing'}")
        answer.print(f"    [dim]way out: {escape(first.fix)}[/]")
    for note in tables.notes:
        answer.print(f"[dim]note: {escape(note)}[/]")
    table = Table("file", "rows in", "kept", "rejected", "duplicates", box=None)
    for count in tables.counts:
        numbers = (count.rows_in, count.kept, count.rejected, count.duplicates)
        table.add_row(escape(count.file), *(f"{number:,}" for number in numbers))
    answer.print(table)
    if not tables.faults:
        answer.print("[green]no faults found[/]")
