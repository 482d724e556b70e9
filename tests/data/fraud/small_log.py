"""Small numbered logs for the fraud filter: people at leisure, and a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from shelfwise.schema.event import EventKind

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

SCHEMA = pl.Schema(
    {
        "event": pl.Enum([kind.value for kind in EventKind]),
        "owner": pl.Int64,
        "session": pl.Int64,
        "item": pl.Int64,
        "at": pl.Int64,
        "ip": pl.UInt64,
    }
)


def numbered(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Events in the order that preparation gives them; what ``rows`` do not say is null."""
    return pl.DataFrame(list(rows), schema=SCHEMA).sort("owner", "at", maintain_order=True)


def act(
    event: str, owner: int, seconds: float, item: int | None = None, **more: Any
) -> dict[str, Any]:
    """One event ``seconds`` after the log's start."""
    told = {"session": owner, "ip": owner} | more
    return {"event": event, "owner": owner, "at": round(seconds * SECOND), "item": item} | told


def shopper(owner: int, rng: np.random.Generator, *, lists: int = 20) -> list[dict[str, Any]]:
    """A person: lists of ten at daytime, on several days; reads before the click; buys one in six.

    Each has ten favourite items out of 200, in categories of 20, and clicks nothing else.
    """
    rows = []
    favourites = 20 * rng.integers(10) + rng.choice(20, 10, replace=False)
    for visit in range(lists // 4):
        at = visit * 86_400 + rng.uniform(8, 21) * 3_600
        for _ in range(4):
            at += 60 + rng.exponential(90)
            rows.append(act("search", owner, at))
            rows += [act("impression", owner, at, int(item)) for item in rng.choice(200, 10)]
            if rng.random() < 0.7:
                item = int(rng.choice(favourites))
                clicked = at + rng.uniform(3, 30)
                rows.append(act("click", owner, clicked, item))
                if rng.random() < 1 / 6:
                    rows.append(act("purchase", owner, clicked + rng.uniform(60, 600), item))
    return rows


def crowd(people: int, seed: int = 7) -> list[dict[str, Any]]:
    """Owners 0 to ``people - 1``, all of them persons."""
    rng = np.random.default_rng(seed)
    return [row for owner in range(people) for row in shopper(owner, rng)]


def metronome(owner: int, *, step: float = 5.0, lists: int = 100) -> list[dict[str, Any]]:
    """A machine: a list every ``step`` seconds, the first item clicked half a second later."""
    rows = []
    for number in range(lists):
        at = 9 * 3_600 + step * number
        rows.append(act("search", owner, at))
        rows += [act("impression", owner, at, (7 * number + place) % 200) for place in range(10)]
        rows.append(act("click", owner, at + 0.5, 7 * number % 200))
    return rows
