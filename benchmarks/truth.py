"""What was learned from the sample shop, against what its generator knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.console import Seeds, Settings, Write, tell
from shelfwise.cli.console import AsJson, Bars

PROTOCOL = (
    "Sample shop (synthetic; it checks mechanisms and proves no quality), split by time as its "
    "shop.toml says. Learned on the training part with the settings of `shelfwise demo`, "
    "calibrated on validation, judged on the test's impressions by shoppers (no bots), each at its "
    "own place, against what happened and against the probabilities it was drawn with. "
    "clicked-only learns conversion from clicked rows alone, leave-out passes over open purchase "
    "windows; cvr_to_truth is mean predicted over mean true P(purchase in its window | click), as "
    "the network gives it. Seeds are runs of training; figures are means over them, intervals over "
    "shoppers."
)


def truth(  # noqa: PLR0913  # the options of a command
    data: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="A sample shop with its truth folder."),
    ] = None,
    events: Annotated[int, typer.Option(min=20_000, help="Size of the sample shop.")] = 500_000,
    bots: Annotated[float, typer.Option(min=0, max=0.5, help="Share of events by bots.")] = 0.0,
    seeds: Seeds = 1,
    settings: Settings = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """Calibration, conversion bias, delay, position bias and fraud, against the sample's truth.

    Example: python benchmarks/run.py truth --events 500000 --seeds 3 --json
    """
    from benchmarks.truth_contest import Asked, measure_truth

    asked = Asked(data, events, bots, seeds, tuple(settings or ()))
    tell(measure_truth(PROTOCOL, asked, Bars()), as_json, write)
