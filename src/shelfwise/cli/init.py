"""`shelfwise init`: a commented shop.toml to start from, or one proposed for given files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit

if TYPE_CHECKING:
    from shelfwise.data.propose.write import Proposal


def init(
    shop: Annotated[Path, typer.Argument(help="Folder with, or for, the shop's files.")],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Further files after --from.")
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="FILE...",
            help="Look at these files, folders or patterns and propose what they are.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a shop.toml that is there.")
    ] = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Write a commented shop.toml with every option, its meaning and its default.

    With --from, look at the shop's files instead, and propose which file is which table and which
    column means what, each guess with its reason.

    Example: shelfwise init myshop --from myshop/log.csv myshop/products.parquet
    """
    from shelfwise.config import SHOP_TOML, commented, validated
    from shelfwise.data.propose.write import propose
    from shelfwise.data.whole_file import write_whole
    from shelfwise.schema.errors import ConfigError

    file = shop / SHOP_TOML
    if file.exists() and not force:
        raise ConfigError(f"{file}: is there already; edit it, or replace it with --force")
    if (more and not files) or (files and shop.is_file()):
        raise ConfigError("name the shop folder first, and files behind --from")
    if files and settings:
        raise ConfigError("--from proposes the options itself; leave out --set, and edit the file")
    proposal = propose(shop, [*files, *(more or ())], Bars()) if files else None
    text = proposal.text if proposal else commented(validated({}, settings or (), str(file)))
    try:
        shop.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{shop}: no folder can be made there ({error.strerror})") from error
    write_whole(file, text)
    if proposal is None:
        answer.print(
            f"{file}: written; next: put your files beside it and run shelfwise check {shop}"
        )
        emit(as_json, {"file": str(file)})
        return
    _tell(proposal)
    answer.print(f"{file}: written; next: look through it and run shelfwise check {shop}")
    emit(
        as_json,
        {
            "file": str(file),
            "tables": {table.section: table.pattern for table in proposal.tables},
            "not_guessed": proposal.not_guessed,
            "unused": [{"file": str(one.path), "why": one.why} for one in proposal.unused],
        },
    )


def _tell(proposal: Proposal) -> None:
    for table in proposal.tables:
        looked = table.guess.looked
        rows = f"{'all' if looked.whole else 'the first'} {looked.rows:,} rows looked at"
        answer.print(escape(f"{table.section}: {table.pattern} ({rows})"))
    for unused in proposal.unused:
        answer.print(escape(f"no table: {unused.path.name}: {unused.why}"))
    for line in proposal.not_guessed:
        answer.print(f"[yellow]not guessed:[/] {escape(line)}")
