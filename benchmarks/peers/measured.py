"""What the loaders of all peers share: the rows they are given and how their steps are measured.

Run by a peer's own interpreter, beside the loader: needs pandas and pyarrow, no Shelfwise.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

_COLUMNS = ["event", "user_id", "session_id", "item_id", "timestamp"]
# What `shelfwise prepare` does between a log and sequences, and no loader of a peer.
NOT_DONE = (
    "no check of rows, rejects or duplicates",
    "no impressions, so no join of clicks and purchases to what was shown",
    "no sessions and no attribution",
    "no fraud filter",
    "no point-in-time features",
    "no weights",
    "no queries",
    "no leakage guard",
    "no pseudonyms",
    "no text of items",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller of a loader wants loaded."""

    log: Path  # events.parquet or events.csv in the published form
    kinds: tuple[str, ...]
    scratch: Path  # an empty folder for what the peer writes


def asked() -> Asked:
    """`--data DIR --kinds click,purchase --scratch DIR` from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--kinds", default="click,purchase")
    parser.add_argument("--scratch", type=Path, required=True)
    given = parser.parse_args()
    logs = [given.data / name for name in ("events.parquet", "events.csv")]
    found = [log for log in logs if log.is_file()]
    if not found:
        parser.error(f"{given.data}: neither events.parquet nor events.csv is there")
    return Asked(found[0], tuple(given.kinds.split(",")), given.scratch)


def read_positives(log: Path, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Events of ``kinds`` with an item and an owner: columns owner, item_id, timestamp.

    The owner is the user, or the session where no user is known, as `shelfwise prepare` has it.
    Times are UTC without a zone, as in the examples of both libraries.
    """
    if log.suffix == ".parquet":
        import pyarrow.parquet as pq

        names = [name for name in _COLUMNS if name in pq.read_schema(log).names]
        rows = pd.read_parquet(log, columns=names, filters=[("event", "in", list(kinds))])
    else:
        rows = pd.read_csv(log, usecols=lambda name: name in _COLUMNS, dtype=str)
        rows = rows[rows["event"].isin(kinds)]
    rows = rows.reindex(columns=_COLUMNS)
    rows["owner"] = rows["user_id"].fillna(rows["session_id"])
    rows["timestamp"] = pd.to_datetime(rows["timestamp"], utc=True, format="ISO8601")
    rows["timestamp"] = rows["timestamp"].dt.tz_localize(None)
    kept = rows[["owner", "item_id", "timestamp"]].dropna()
    return kept.reset_index(drop=True)


@dataclass(slots=True)
class Steps:
    """Wall-clock and processor seconds of each named step."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        began, worked = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = time.perf_counter() - began
        self.cpu_seconds[name] = time.process_time() - worked


def tell(
    load: Callable[[Asked, Steps], dict[str, int]], libraries: tuple[str, ...], does: str
) -> None:
    """Run ``load`` and print one JSON object, the answer of this process, as its last line."""
    steps = Steps()
    imported_mib = _peak_mib()
    sizes = load(asked(), steps)
    answer: dict[str, Any] = {
        "seconds": steps.seconds,
        "cpu_seconds": steps.cpu_seconds,
        "peak_mib": _peak_mib(),
        "imported_mib": imported_mib,  # of it, what the libraries alone take
        "rows": sizes,
        "versions": {name: importlib.metadata.version(name) for name in libraries},
        "does": does,
        "does_not": list(NOT_DONE),
    }
    print(json.dumps(answer))  # noqa: T201  # the answer of this process


def _peak_mib() -> float:
    """Most memory this program had at once.

    Not ``ru_maxrss``: on Linux a child that was started by ``vfork`` has its parent's peak in it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
