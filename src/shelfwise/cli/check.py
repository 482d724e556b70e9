"""`shelfwise check`: everything wrong with a shop's files, at once, and what they hold."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit, show

if TYPE_CHECKING:
    from shelfwise.data.config import DataOptions
    from shelfwise.data.report.report import DataReport
    from shelfwise.data.source.fault import FaultGroup
    from shelfwise.data.source.read import ShopTables


def check(
    shop: Annotated[Path, typer.Argument(help="Shop folder, or one table of text and label.")],
    html: Annotated[
        Path | None, typer.Option(help="Write a report of what the data holds here, as a page.")
    ] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Read a shop's files and print everything wrong with them: file, row, rule and way out.

    With --html, also a page of what the data holds and can teach; --json then has its numbers.
    Exit code 1 if anything is wrong.

    Example: shelfwise check myshop --html data.html
    """
    from shelfwise.config import load_config
    from shelfwise.data.source.read import read_any
    from shelfwise.evaluation.page import refuse_no_place

    if html is not None:
        refuse_no_place(html)
    options = load_config(shop, settings or ())
    tables = read_any(shop, options, Bars())
    show_faults(tables)
    report = None if html is None else _write_report(shop, tables, options, html)
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
        }
        | ({} if report is None else {"report": asdict(report)}),
    )
    if faults:
        raise typer.Exit(1)


def _write_report(shop: Path, tables: ShopTables, options: DataOptions, html: Path) -> DataReport:
    from shelfwise.data.report.of_shop import report_of_shop
    from shelfwise.evaluation.data_page import write_data_page

    report = report_of_shop(shop, tables, options, Bars())
    write_data_page(report, html)
    answer.print(f"report: {escape(str(html))}")
    return report


def show_faults(tables: ShopTables) -> None:
    """Faults with examples, file by file, then the counts of every file."""
    for fault in sorted(tables.faults, key=lambda fault: fault.file):
        _show_fault(fault)
    for note in tables.notes:
        answer.print(f"[dim]note: {escape(note)}[/]")
    table = Table("file", "rows in", "kept", "rejected", "duplicates", box=None)
    for count in tables.counts:
        numbers = (count.rows_in, count.kept, count.rejected, count.duplicates)
        table.add_row(escape(count.file), *(f"{number:,}" for number in numbers))
    show(table)
    if not tables.faults:
        answer.print("[green]no faults found[/]")
    elif tables.lost:
        lost = ", ".join(sorted(tables.lost))
        answer.print(f"cannot be prepared yet: nothing can be used of: {lost}")
    elif tables.emptied:
        emptied = ", ".join(sorted(tables.emptied))
        answer.print(f"cannot be prepared yet: every row was refused of: {emptied}")
    else:
        answer.print("good rows can be prepared; rejected ones are put aside with their reasons")


def _show_fault(fault: FaultGroup) -> None:
    first = fault.examples[0]
    said = f"{fault.count:,} rows break" if fault.count > 1 else "1 row breaks"
    who = " breaks" if first.row is None else f": {said}"
    answer.print(f"[bold red]{escape(fault.file)}[/]{who} the rule: {escape(fault.rule)}")
    for one in fault.examples:
        place = "the file" if one.row is None else f"row {one.row:,}"
        column = f", {one.column}" if one.column else ""
        answer.print(f"    {place}{escape(column)}: {escape(_visible(one.found))}")
    answer.print(f"    [dim]way out: {escape(first.fix)}[/]")


def _visible(found: str) -> str:
    """Control characters by their number: a terminal would obey them."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in found)
