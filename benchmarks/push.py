"""Fake shoppers who have a few items shown, with and without what is done against them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.console import Budget, Keep, Seeds, Settings, Systems, Write, listed, tell
from shelfwise.cli.console import AsJson, Bars

PROTOCOL = (
    "{who} The same log is learned from three times: without the fakes' rows ([fraud] on), with "
    "them and [fraud] off, with them and [fraud] on. All three are asked for the same real "
    "shoppers of the test: for NDCG as in every match, for exposure once each as the test begins, "
    "bought they later or not; it is the share of the first ten places that a pushed item has. "
    "Views are kinds of fakes. Intervals over shoppers, of these trainings: they know nothing of "
    "how far trainings of another seed differ, which several seeds tell."
)


def push(  # noqa: PLR0913  # the options of a command
    data: Annotated[
        Path | None,
        typer.Option(exists=True, help="Online Retail's files; else sample shops with bots."),
    ] = None,
    share: Annotated[float, typer.Option(help="Fake users or bots for each real one.")] = 0.05,
    seeds: Seeds = 1,
    budget: Budget = 1.0,
    systems: Systems = None,
    settings: Settings = None,
    keep: Keep = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """How much further pushed items are shown, and how much the fraud filter leaves of that.

    --systems names kinds of fakes: random, bandwagon, "love and hate", "fake sales"; of bots easy,
    middle, hard.

    Example: python benchmarks/run.py push --data online_retail --share 0.05 --json
    """
    from benchmarks.asking import Asking
    from benchmarks.push_contest import compare_pushed

    asked = (seeds, budget, listed(systems), tuple(settings or ()))
    asking = Asking(data or Path(), *asked, keep=keep)
    tell(compare_pushed(PROTOCOL, asking, share, Bars(), drawn=data is None), as_json, write)
