"""`shelfwise lr-range`: which learning rate to begin with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit, show

_LINES = 12  # of the table
_BAR = 40  # letters


def lr_range(
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    low: Annotated[float, typer.Option(min=1e-9, help="Rate of the first step.")] = 1e-5,
    high: Annotated[float, typer.Option(min=1e-8, help="Rate of the last step.")] = 1.0,
    steps: Annotated[int, typer.Option(min=16, help="Steps of training.")] = 100,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Train for some steps at rising rates, and name a rate to begin with, and why.

    The rate of the text encoder climbs along, in the proportion that the options have. Nothing of
    the network is kept, and validation is not looked at.

    Example: shelfwise lr-range prepared --steps 150
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.data.prepared import PreparedShop, open_prepared
    from shelfwise.schema.errors import ConfigError
    from shelfwise.training.rate_range import rate_range

    shop = open_prepared(prepared)
    if not isinstance(shop, PreparedShop):
        raise ConfigError(f"{prepared}: lr-range is for shops with a log of behaviour")
    config = config_of(prepared, shop.manifest, settings or (), sections=("model", "train"))
    found = rate_range(shop, config.model, config.train, (low, high), steps, Bars())
    table = Table("rate", "loss", "", box=None)
    apart = max(1, len(found.rates) // _LINES)
    most, least = max(found.losses), min(found.losses)
    for at in range(0, len(found.rates), apart):
        long = round(_BAR * (found.losses[at] - least) / (most - least or 1.0))
        table.add_row(f"{found.rates[at]:.1e}", f"{found.losses[at]:.4f}", "█" * long or "▏")
    show(table)
    answer.print(f"begin with train.learning_rate={found.suggested:g}: {found.why}", markup=False)
    answer.print(f"and train.encoder_learning_rate={found.encoder_rate:g}", markup=False)
    emit(as_json, asdict(found))
