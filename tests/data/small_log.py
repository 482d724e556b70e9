"""Small logs: numbered events as `prepare` makes them, and whole shops on disk."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop

PUBLISHED = {"published_key": True}
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000  # microseconds

EVENTS = pl.Schema(
    {
        "event": pl.String,
        "owner": pl.Int64,
        "item": pl.Int64,
        "query": pl.Int64,
        "at": pl.Int64,
        "sequence": pl.Int64,
        "request_id": pl.String,
        "surface": pl.String,
        "position": pl.Int64,
        "propensity": pl.Float64,
    }
)
IMPRESSIONS = pl.Schema(
    {
        "request_id": pl.String,
        "owner": pl.Int64,
        "item": pl.Int64,
        "at": pl.Int64,
        "position": pl.Int64,
        "surface": pl.String,
        "propensity": pl.Float64,
        "clicked_at": pl.Int64,
        "purchased_at": pl.Int64,
    }
)


def numbered(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Events with what ``rows`` do not say left null; sorted as `prepare` sorts them."""
    return pl.DataFrame(list(rows), schema=EVENTS).sort(
        "owner", "at", "sequence", nulls_last=True, maintain_order=True
    )


def moment(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def write_table(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """CSV of rows that need not say the same columns."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def event(kind: str, user: str, hours: float, item: str = "", **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "user_id": user,
        "item_id": item,
        "timestamp": moment(hours).isoformat(),
        **more,
    }


def prepared_shop(folder: Path, rows: Sequence[Mapping[str, Any]], **options: Any) -> PreparedShop:
    """A shop of these events, prepared; validation from hour 60 and test from hour 80."""
    write_table(folder / "shop", "events", rows)
    split = {"validation_start": moment(60), "test_start": moment(80)}
    found = prepare(
        folder / "shop",
        folder / "prepared",
        DataOptions.model_validate({"split": split, "privacy": PUBLISHED} | options),
    )
    assert isinstance(found, PreparedShop)
    return found


def random_events(seed: int, *, impressions: bool) -> list[dict[str, Any]]:
    """A hundred hours of four users, five items and three queries; times often tie."""
    rng = np.random.default_rng(seed)
    rows = [event("view", "u0", 0, "i0"), event("view", "u0", 99, "i0")]
    for _ in range(30):
        user, hours = f"u{rng.integers(4)}", int(rng.integers(0, 90))
        if impressions:
            rows += _random_request(rng, user, hours, f"r{len(rows)}")
        for kind in rng.choice(["view", "click", "purchase", "search"], size=2):
            at = hours + int(rng.integers(0, 3))
            if kind == "search":
                rows.append(event("search", user, at, query=f"q{rng.integers(3)}"))
            else:
                rows.append(event(str(kind), user, at, f"i{rng.integers(5)}"))
    return rows


def _random_request(
    rng: np.random.Generator, user: str, hours: int, name: str
) -> list[dict[str, Any]]:
    rows = []
    query = {"query": f"q{rng.integers(3)}"} if rng.random() < 0.5 else {}
    for position, item in enumerate(rng.permutation(5)[: rng.integers(1, 4)], start=1):
        told = {"request_id": name, "position": position}
        rows.append(event("impression", user, hours, f"i{item}", **told, **query))
        if rng.random() < 0.5:
            rows.append(event("click", user, hours + int(rng.integers(0, 9)), f"i{item}", **told))
            if rng.random() < 0.5:
                rows.append(event("purchase", user, hours + 9, f"i{item}", **told))
    return rows
