"""`shelfwise datasets`: public data sets made into shop folders."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, answer, emit, help_of, show


def list_(as_json: AsJson = False) -> None:
    """Say which data sets can be converted, and what each can honestly show.

    Example: shelfwise datasets list
    """
    from shelfwise.data.readers.datasets import dataset_cards

    cards = dataset_cards()
    for card in cards:
        answer.print(f"[bold]{card.name}[/bold]: {card.title} ({card.publisher})")
        answer.print(f"  shows: {card.shows}")
        if not card.prepares:
            answer.print("  read its converted tables; `shelfwise prepare` has no use for it")
        answer.print(f"  terms: {card.terms}; from {card.url}")
    emit(as_json, {"datasets": [asdict(card) for card in cards]})


def convert(
    name: Annotated[str, typer.Argument(help="As `datasets list` names it.")],
    source: Annotated[Path, typer.Option("--from", help="Folder with the publisher's files.")],
    out: Annotated[Path, typer.Option(help="Shop folder to write.")],
    as_json: AsJson = False,
) -> None:
    """Turn a data set's published files into a shop folder; every row is accounted for.

    Example: shelfwise datasets convert online-retail --from downloads --out shop
    """
    from shelfwise.data.folder import new_folder
    from shelfwise.data.readers.datasets import convert as convert_dataset
    from shelfwise.data.readers.shop_folder import CONVERSION

    with new_folder(out, CONVERSION) as folder:
        report = convert_dataset(name, source, folder, Bars())
    table = Table("rows", "what became of them", box=None)
    table.add_row(f"{report.rows_in:,}", "read")
    for kind, count in report.kept.items():
        table.add_row(f"{count:,}", f"kept as {kind}")
    for reason, count in report.left_out.items():
        table.add_row(f"{count:,}", f"left out: {reason}")
    for what, count in (*report.changed.items(), *report.found.items()):
        table.add_row(f"[dim]{count:,}", f"[dim]{what}")
    show(table)
    answer.print(f"{out}: written; next: {_next_step(name, out)}")
    emit(as_json, {"folder": str(out), **asdict(report)})


def _next_step(name: str, out: Path) -> str:
    from shelfwise.data.readers.datasets import dataset_card

    if dataset_card(name).prepares:
        return f"shelfwise prepare {out} --out prepared"
    return "read its tables; there is nothing in it that `shelfwise prepare` could learn from"


datasets = typer.Typer(no_args_is_help=True, help="List and convert public data sets.")
for name, command in (("list", list_), ("convert", convert)):
    datasets.command(name, help=help_of(command))(command)
