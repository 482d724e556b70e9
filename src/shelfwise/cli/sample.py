"""`shelfwise sample`: the built-in synthetic shop."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from shelfwise.cli.console import AsJson, Bars, answer, emit

if TYPE_CHECKING:
    from shelfwise.data.sample_shop.config import SampleOptions


def sample(  # noqa: PLR0913  # the flags of a command
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    users: Annotated[int, typer.Option(help="Shoppers.")] = 3_000,
    items: Annotated[int, typer.Option(help="Entries of the catalogue.")] = 5_000,
    days: Annotated[int, typer.Option(help="Length of the log.")] = 60,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    language: Annotated[
        Literal["en", "zh", "both"], typer.Option(help="Language of titles and queries.")
    ] = "en",
    as_json: AsJson = False,
) -> None:
    """Write the sample shop: a synthetic catalogue and log, with the truth apart.

    Example: shelfwise sample shop --users 3000 --items 5000 --days 60 --language both
    """
    from shelfwise.data.folder import new_folder
    from shelfwise.data.sample_shop.generate import WRITTEN_BY_SAMPLE, write_sample_shop

    options = sample_options(users=users, items=items, days=days, seed=seed, language=language)
    with new_folder(out, WRITTEN_BY_SAMPLE) as folder:
        summary = write_sample_shop(folder, options, Bars())
    answer.print(f"{out}: sample shop (synthetic) written; next: shelfwise check {out}")
    emit(as_json, {"folder": str(out), "synthetic": True, **asdict(summary)})


def sample_options(**given: int | str) -> SampleOptions:
    """What the flags ask for.

    Raises:
        ConfigError: a shop of that size cannot be made; all that is wrong is listed.
    """
    from pydantic import ValidationError

    from shelfwise.data.sample_shop.config import SampleOptions
    from shelfwise.schema.errors import ConfigError
    from shelfwise.schema.options import explain

    try:
        return SampleOptions.model_validate(given)
    except ValidationError as error:
        raise ConfigError("\n".join(["sample shop:", *explain(error, SampleOptions)])) from error
