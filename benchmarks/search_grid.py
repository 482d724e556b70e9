"""A whole grid of real trainings on Online Retail, made once, looked up by searches afterwards."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, configured_by, prepared_shop, shop_of
from shelfwise.data.prepared import open_prepared
from shelfwise.evaluation.tuning.objective import Trials
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress
from shelfwise.schema.search import Pick, Value
from shelfwise.training.course import tell_nobody
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.space import Axis, Space

LEVELS: Mapping[str, tuple[Value, ...]] = {
    "train.learning_rate": (5e-4, 1e-3, 2e-3, 4e-3, 8e-3),
    "train.batch_requests": (64, 128, 256, 512),
    "model.id_dropout": (0.0, 0.2, 0.4, 0.6),
    "model.history.dropout": (0.1, 0.4),
    "model.match_scale": (3.0, 8.0),
}
_AT_A_TIME = 20  # cells that a process trains with what it counted once
# Ended by steps, so that a setting comes to the same again; without what no level touches.
FIXED = (
    "model.encoder.tuning.mode=frozen",
    "train.epochs=1",
    "model.neighbours=32",
    "train.minutes=30",
    "train.patience=9",
    "train.threads=1",
    "train.device=cpu",
)
PROTOCOL = (
    "Online Retail, split by time; every combination of {levels} ({cells} trainings, ended by "
    "steps, a frozen encoder, one thread each); score: NDCG@10 of validation, which is what a "
    "search is told. The test is not read."
)


def grid_space() -> Space:
    """The grid as a search sees it; numbers in order, so that neighbours are alike."""
    return Space(
        tuple(Axis(name, name, Pick(values), values[0]) for name, values in LEVELS.items())
    )


def grid_scores(file: Path) -> dict[tuple[Value, ...], float]:
    """Score of each cell, by its values in the order of `LEVELS`.

    Raises:
        DataError: the file is not there, or cells are missing.
    """
    if not file.is_file():
        raise DataError(f"{file}: not there; make it with: python benchmarks/run.py tuning_grid")
    rows = pl.read_csv(file)
    found = {tuple(row[name] for name in LEVELS): row["score"] for row in rows.to_dicts()}
    missing = [cell for cell in cells() if cell not in found]
    if missing:
        raise DataError(f"{file}: {len(missing)} of {len(cells())} cells are missing: {missing[0]}")
    return found


def cells() -> list[tuple[Value, ...]]:
    """All combinations."""
    return list(itertools.product(*LEVELS.values()))


def make_grid(
    data: Path,
    out: Path,
    workers: int,
    progress: Progress,
    wanted: Sequence[tuple[Value, ...]] | None = None,
    settings: Sequence[str] = FIXED,
) -> Result:
    """Train the cells that ``out`` lacks, and add each as it is done.

    What was done stays where the rest is cut short: the same call goes on from there.
    """
    done = pl.read_csv(out) if out.is_file() else pl.DataFrame()
    known = {tuple(row[name] for name in LEVELS) for row in done.to_dicts()}
    missing = [cell for cell in (wanted or cells()) if cell not in known]
    _begin(out)
    with TemporaryDirectory(prefix="grid-") as folder:
        scratch = Path(folder)
        shop = shop_of(data, "online-retail", scratch, tuple(settings), progress)
        prepared = prepared_shop(shop, scratch / "prepared", progress)
        fresh = multiprocessing.get_context("spawn")
        with (
            ProcessPoolExecutor(workers, fresh) as pool,
            progress.step("Cells", total=len(missing)) as bar,
        ):
            step = max(1, min(_AT_A_TIME, len(missing) // workers))
            asked = [
                pool.submit(train_cells, shop, scratch, missing[at : at + step], out)
                for at in range(0, len(missing), step)
            ]
            for one in as_completed(asked):
                for _ in range(one.result()):
                    bar.advance()
        rows = pl.read_csv(out)
        counts = dict(prepared.manifest.facts["counts"])
        fingerprint = prepared.manifest.data_fingerprint
    levels = ", ".join(f"{name} in {len(values)}" for name, values in LEVELS.items())
    return Result(
        benchmark="tuning_grid",
        protocol=PROTOCOL.format(levels=levels, cells=len(cells())),
        data={"name": "Online Retail", "fingerprint": fingerprint, "counts": counts},
        figures={
            "cells": len(rows),
            "best": float(rows["score"].max()),  # type: ignore[arg-type]  # a number
            "median": float(rows["score"].median()),  # type: ignore[arg-type]  # a number
            "seconds of the longest": float(rows["seconds"].max()),  # type: ignore[arg-type]  # a number
        },
        seconds=float(rows["seconds"].sum()),
        peak_mib=peak_mib(),
    )


def train_cells(shop: Shop, scratch: Path, chosen: Sequence[Sequence[Value]], out: Path) -> int:
    """Values, score and seconds of some cells, one after the other in a process of their own.

    Each is a line of ``out``; their number is returned.
    """
    prepared = open_prepared(scratch / "prepared")
    trials = Trials(prepared, scratch, configured_by(shop), TuneOptions(), grid_space())
    for cell in chosen:
        params = dict(zip(LEVELS, cell, strict=True))
        outcome = trials(params, tell_nobody)
        seconds = outcome.notes["figures"]["seconds"]
        told = {"score": round(outcome.values[0], 6), "seconds": round(seconds, 1)}
        _add(out, {**params, **told})
    return len(chosen)


def _begin(out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    if not out.is_file():
        out.write_text(",".join([*LEVELS, "score", "seconds"]) + "\n", encoding="utf-8")


def _add(out: Path, line: Mapping[str, Value]) -> None:
    """One write, so that lines of several processes do not mix."""
    with out.open("a", encoding="utf-8") as file:
        file.write(",".join(map(str, line.values())) + "\n")
