"""How fast `shelfwise prepare` is, against the same steps in pandas, and how it grows.

The log is a sample shop of a stated size and seed (synthetic: its speed is what is measured).
Every run is a process of its own; systems take turns, and the median of the rounds counts.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import polars as pl
import typer

from benchmarks.console import tell
from benchmarks.peers_loading import peers_loading
from benchmarks.result import Result
from shelfwise.cli.console import AsJson, Bars
from shelfwise.data.folder import new_folder
from shelfwise.data.prepared import open_prepared_shop
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import WRITTEN_BY_SAMPLE, write_sample_shop
from shelfwise.schema.progress import Progress

THREADS = 2
# The steps that both sides do: what only ours has is measured apart.
SAME_STEPS = ("fraud.enabled=false", "features.statistics=false")
_SAMPLE_EVENTS = 50_000  # of the shop whose tables are compared
_EXACT = {
    "history": ["item", "query", "kind", "at"],
    "requests": ["request_id", "owner", "at", "query", "surface", "session", "part", "history_end"],
    "impressions": [
        *("request", "item", "position", "propensity"),
        *("at", "clicked_at", "purchased_at", "returned_at"),
    ],
    "positives": ["request", "item", "kind", "at"],
}
PROTOCOL = (
    "sample shop (synthetic), seed 0; from Parquet events and a CSV catalogue to a prepared "
    "folder; processes of their own, {threads} threads, median of {rounds} interleaved rounds; "
    "pandas and shelfwise/same-steps do the same steps, without fraud filter and statistics, "
    "which `shelfwise` has on; their tables are compared on a shop of {sample:,} events"
)


def prepare_speed(
    events: Annotated[int, typer.Option(min=50_000, help="Size of the sample shop.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 3,
    data: Annotated[
        Path | None, typer.Option(exists=True, help="A shop folder instead of a sample shop.")
    ] = None,
    growth: Annotated[bool, typer.Option(help="Also prepare ten times as many events.")] = True,
    as_json: AsJson = False,
) -> None:
    """Rows a second of `shelfwise prepare`, its memory, and the ratio to the same in pandas.

    Example: python benchmarks/run.py prepare_speed --events 1000000 --json
    """
    tell(measure(events, rounds, data, growth, Bars()), as_json)


def measure(
    events: int, rounds: int, data: Path | None, growth: bool, progress: Progress
) -> Result:
    """Measure on a sample shop with at least ``events`` events, or on the shop ``data``."""
    began = time.perf_counter()
    with TemporaryDirectory(prefix="prepare-speed-") as folder:
        scratch = Path(folder)
        differing = compare_tables(_shop(scratch / "small", _SAMPLE_EVENTS, progress), scratch)
        shop = data or _shop(scratch / "shop", events, progress)
        rows = _rounds(shop, scratch, rounds, progress)
        count = _events(shop)
        larger = _growth(scratch, events, rows, progress) if growth and data is None else {}
        peers = peers_loading(shop, ("click", "purchase"))
        fingerprint = open_prepared_shop(scratch / "shelfwise").manifest.data_fingerprint
    ours, same, pandas = (rows[name] for name in ("shelfwise", "same-steps", "pandas"))
    figures = {
        "rows_per_second": count / ours["seconds"],
        "ratio_to_pandas": pandas["seconds"] / same["seconds"],
        "ratio_to_pandas_cpu": pandas["cpu_seconds"] / same["cpu_seconds"],
        "tables_that_differ": float(len(differing)),
        **larger,
    }
    return Result(
        benchmark="prepare_speed",
        protocol=PROTOCOL.format(threads=THREADS, rounds=rounds, sample=_SAMPLE_EVENTS),
        data={"name": shop.name, "fingerprint": fingerprint, "counts": {"events": count}},
        figures=figures,
        seconds=time.perf_counter() - began,
        peak_mib=ours["peak_mib"],
        rows=[
            *(
                {"system": _SYSTEMS[name], "view": "main", "metric": metric, "value": value}
                for name, found in rows.items()
                for metric, value in found.items()
            ),
            *peers,
            *({"system": "pandas", "metric": "differs in", "value": name} for name in differing),
        ],
    )


_SYSTEMS = {"shelfwise": "shelfwise", "same-steps": "shelfwise/same-steps", "pandas": "pandas"}


def _shop(folder: Path, events: int, progress: Progress) -> Path:
    with new_folder(folder, WRITTEN_BY_SAMPLE) as new:
        write_sample_shop(new, SampleOptions().with_events(events), progress)
    return folder


def _events(shop: Path) -> int:
    return int(pl.scan_parquet(shop / "events.parquet").select(pl.len()).collect().item())


def _rounds(
    shop: Path, scratch: Path, rounds: int, progress: Progress
) -> dict[str, dict[str, float]]:
    runs: dict[str, list[Mapping[str, float]]] = {name: [] for name in _SYSTEMS}
    with progress.step(f"Preparing {shop.name}", total=rounds * len(runs)) as step:
        for _ in range(rounds):
            for name, found in runs.items():
                step.note(name)
                found.append(prepare_once(name, shop, scratch / name))
                step.advance()
    return {
        name: {
            "seconds": statistics.median(run["seconds"] for run in found),
            "cpu_seconds": statistics.median(run["cpu_seconds"] for run in found),
            "peak_mib": max(run["peak_mib"] for run in found),
        }
        for name, found in runs.items()
    }


def prepare_once(name: str, shop: Path, out: Path) -> dict[str, float]:
    """One run of a system in a process of its own; what stood in ``out`` is replaced."""
    shutil.rmtree(out, ignore_errors=True)
    settings: Sequence[str] = () if name == "shelfwise" else SAME_STEPS
    system = "pandas" if name == "pandas" else "shelfwise"
    threads = {f"{what}_NUM_THREADS": str(THREADS) for what in ("OMP", "OPENBLAS")}
    once = str(Path(__file__).with_name("prepare_once.py"))
    done = subprocess.run(
        [sys.executable, once, system, str(shop), str(out), *settings],
        env=os.environ | threads | {"POLARS_MAX_THREADS": str(THREADS)},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _growth(
    scratch: Path, events: int, rows: Mapping[str, Mapping[str, float]], progress: Progress
) -> dict[str, float]:
    """Ten times the log: how many times the seconds, and what memory."""
    larger = _shop(scratch / "ten-times", 10 * events, progress)
    with progress.step(f"Preparing {10 * events:,} events"):
        found = prepare_once("shelfwise", larger, scratch / "out-ten-times")
    return {
        "growth_10x": found["seconds"] / rows["shelfwise"]["seconds"],
        "rows_per_second_10x": _events(larger) / found["seconds"],
        "peak_gib_10x": found["peak_mib"] / 1024,
    }


def compare_tables(shop: Path, scratch: Path) -> list[str]:
    """Names of the tables and columns in which pandas and Shelfwise do not agree."""
    folders = {name: scratch / f"small-{name}" for name in ("same-steps", "pandas")}
    for name, out in folders.items():
        prepare_once(name, shop, out)
    differing = []
    for table, columns in _EXACT.items():
        ours, theirs = (
            pl.read_parquet(folder / f"{table}.parquet", columns=columns)
            for folder in folders.values()
        )
        differing += [f"{table}.{name}" for name in columns if not _agree(ours[name], theirs[name])]
    for table in ("impressions", "positives"):
        ours_N, theirs_N = (
            pl.read_parquet(folder / f"{table}.parquet")["weight"].to_numpy()
            for folder in folders.values()
        )
        if len(ours_N) != len(theirs_N) or not np.allclose(ours_N, theirs_N, atol=1e-5):
            differing.append(f"{table}.weight")
    return differing


def _agree(ours: pl.Series, theirs: pl.Series) -> bool:
    if len(ours) != len(theirs):
        return False
    if ours.dtype == pl.String:
        return ours.equals(theirs.cast(pl.String))
    numbers = (column.cast(pl.Float64).fill_nan(None) for column in (ours, theirs))
    return next(numbers).equals(next(numbers))
