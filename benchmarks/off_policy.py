"""Off-policy estimates against another policy's own log, and against a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.console import Write, tell
from shelfwise.cli.console import AsJson, Bars

PROTOCOL = (
    "Open Bandit sample: the uniform policy's click rate from the bts log (units are rows; refused "
    "below an effective sample size of 100), against the random log's own mean. Sample shop "
    "(synthetic): {draws} logs of {users} users, shelves and clicks drawn anew, the policy fills "
    "every slot uniformly; units are users; 95 % intervals."
)


def off_policy(
    data: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of the Open Bandit sample."),
    ] = None,
    draws: Annotated[int, typer.Option(min=2, help="Redrawn logs of the sample shop.")] = 200,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """IPS, self-normalised, direct and doubly robust: what they say, and how often they are right.

    Example: python benchmarks/run.py off_policy --data obp --json
    """
    from benchmarks.off_policy_check import Asked, check_off_policy

    tell(check_off_policy(PROTOCOL, Asked(data, draws), Bars()), as_json, write)
