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
    users: Annotated[
        int | None, typer.Option(help="Shoppers; 3000 where --events is not given.")
    ] = None,
    items: Annotated[int, typer.Option(help="Entries of the catalogue.")] = 5_000,
    days: Annotated[int, typer.Option(help="Length of the log.")] = 60,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    language: Annotated[
        Literal["en", "zh", "both"], typer.Option(help="Language of titles and queries.")
    ] = "en",
    domains: Annotated[int, typer.Option(help="1: general goods; 2: books as well.")] = 1,
    bot_share: Annotated[float, typer.Option(help="Share of the events that bots make.")] = 0.0,
    bot_strength: Annotated[
        Literal["easy", "middle", "hard", "mixed"],
        typer.Option(help="How well bots imitate shoppers; mixed: a third of each."),
    ] = "mixed",
    events: Annotated[
        int | None,
        typer.Option(help="At least so many events; sets the number of shoppers."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the sample shop: a synthetic catalogue and log, with the truth apart.

    Example: shelfwise sample shop --users 3000 --items 5000 --days 60 --language both

    Big ones by the number of events: shelfwise sample big --events 1000000 --bot-share 0.05
    """
    from shelfwise.data.folder import new_folder
    from shelfwise.data.sample_shop.generate import WRITTEN_BY_SAMPLE, write_sample_shop

    options = sample_options(
        **({} if users is None else {"users": users}),
        items=items,
        days=days,
        seed=seed,
        language=language,
        domains=domains,
        bot_share=bot_share,
        bot_strength=bot_strength,
    )
    if events is not None:
        options = sized(options, events, users)
    with new_folder(out, WRITTEN_BY_SAMPLE) as folder:
        summary = write_sample_shop(folder, options, Bars())
    answer.print(f"{out}: sample shop (synthetic) written; next: shelfwise check {out}")
    emit(as_json, {"folder": str(out), "synthetic": True, **asdict(summary)})


def sized(options: SampleOptions, events: int, users: int | None) -> SampleOptions:
    """``options`` with as many shoppers as it takes.

    Raises:
        ConfigError: the number of shoppers is given as well, or no shop is that big or small.
    """
    from pydantic import ValidationError

    from shelfwise.data.sample_shop.config import SampleOptions
    from shelfwise.schema.errors import ConfigError
    from shelfwise.schema.options import explain

    if users is not None:
        raise ConfigError(
            f"--users {users} and --events {events}: each sets the number of shoppers; give one"
        )
    try:
        return options.with_events(events)
    except ValidationError as error:
        told = [f"--events {events} makes a shop that cannot be:", *explain(error, SampleOptions)]
        raise ConfigError("\n".join(told)) from error


def sample_options(**given: float | str) -> SampleOptions:
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
