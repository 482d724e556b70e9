"""`shelfwise init`: a commented shop.toml to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelfwise.cli.console import AsJson, Settings, answer, emit


def init(
    shop: Annotated[Path, typer.Argument(help="Folder with, or for, the shop's files.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a shop.toml that is there.")
    ] = False,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Write a commented shop.toml with every option, its meaning and its default.

    Example: shelfwise init myshop --set shop.name="My shop"
    """
    from shelfwise.config import SHOP_TOML, commented, validated
    from shelfwise.data.whole_file import write_whole
    from shelfwise.schema.errors import ConfigError

    file = shop / SHOP_TOML
    if file.exists() and not force:
        raise ConfigError(f"{file}: is there already; edit it, or replace it with --force")
    text = commented(validated({}, settings or (), str(file)))
    try:
        shop.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{shop}: no folder can be made there ({error.strerror})") from error
    write_whole(file, text)
    answer.print(f"{file}: written; next: put your files beside it and run shelfwise check {shop}")
    emit(as_json, {"file": str(file)})
