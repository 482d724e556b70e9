"""Rankings of one right item among a few drawn ones, as many papers report them.

A ranking of 1 + n candidates tells systems apart worse than the whole catalogue does and may even
order them differently (Krichene and Rendle, 2020), so it only ever stands beside. The candidates
are drawn once and kept in the prepared folder: every run meets the same ones.

Shape suffixes in this file: T = targets; P = targets that have a right item; C = candidates drawn.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.match import SampledView, View
from shelfwise.metrics.lists import NOBODY

NAME = "sampled"
_FORMAT = 1  # raised when the same options would draw others


@dataclass(frozen=True, slots=True)
class Candidates:
    """A view of few candidates, and what its reader must know."""

    view: SampledView
    note: str


def sampled_candidates(
    prepared: PreparedShop, targets: MatchTargets, among: View, options: EvaluateOptions
) -> Candidates:
    """The kept candidates of these targets, drawn and kept where there are none yet.

    Each target asks for one of its right items in view ``among``, drawn evenly, against
    ``options.sampled_negatives`` items drawn evenly from those that its owner neither took
    before nor takes in the test.
    """
    file = prepared.folder / _file_name(prepared, among, options)
    table = _kept(file, targets)
    where = "kept in the prepared folder"
    if table is None:
        table = _drawn(len(prepared.items), targets, among, options)
        if not _keep(table, file):
            where = f"drawn by seed {options.seed}; {prepared.folder} cannot be written to"
    note = (
        f"View {NAME} is for comparison with papers: one right item among "
        f"{options.sampled_negatives} drawn evenly from the items its shopper never took, "
        f"the same for every system and run ({where}). It flatters, and may order systems "
        "otherwise than the whole catalogue does."
    )
    return Candidates(_view(table, options.sampled_negatives), note)


def _file_name(prepared: PreparedShop, among: View, options: EvaluateOptions) -> str:
    drawn_by = {
        "format": _FORMAT,
        "fingerprint": prepared.manifest.data_fingerprint,
        "match": prepared.options.match.model_dump(mode="json"),
        "view": among.name,
        "negatives": options.sampled_negatives,
        "seed": options.seed,
        "most_targets": options.most_targets,
    }
    digest = hashlib.sha256(json.dumps(drawn_by, sort_keys=True).encode()).hexdigest()
    return f".candidates-{digest[:16]}.parquet"  # the seal passes names with a dot over


def _drawn(
    items: int, targets: MatchTargets, among: View, options: EvaluateOptions
) -> pl.DataFrame:
    """Columns ``target, owner, at, right, others``: a row for each target with a right item."""
    rng = np.random.default_rng([options.seed, options.sampled_negatives])
    by_target_P = np.argsort(among.right_target_P, kind="stable")
    asked, start = np.unique(among.right_target_P[by_target_P], return_index=True)
    count = np.diff(start, append=len(by_target_P))
    chosen = by_target_P[start + rng.integers(count)] if len(asked) else start
    gone = _taken_by_target(targets)
    others = []
    for target in asked.tolist():
        free_V = np.ones(items, bool)
        free_V[gone[target]] = False
        pool = np.flatnonzero(free_V)
        size = min(options.sampled_negatives, len(pool))
        others.append(rng.choice(pool, size, replace=False).tolist())
    return pl.DataFrame(
        {
            "target": asked,
            "owner": targets.owner_T[asked],
            "at": targets.at_T[asked],
            "right": among.right_item_P[chosen],
            "others": pl.Series(others, dtype=pl.List(pl.Int64)),
        }
    )


def _taken_by_target(targets: MatchTargets) -> list[NDArray[np.int64]]:
    """Items of each target that are right, or were taken before by its owner."""
    target = np.concatenate([targets.right_target_P, targets.seen_target_S])
    item = np.concatenate([targets.right_item_P, targets.seen_item_S])
    # What the same owner takes at another target of the test is no wrong answer either.
    right = pl.DataFrame(
        {"owner": targets.owner_T[targets.right_target_P], "item": targets.right_item_P}
    ).unique()
    owners = pl.DataFrame({"owner": targets.owner_T}).with_row_index("target")
    later = owners.join(right, on="owner")
    target = np.concatenate([target, later["target"].to_numpy().astype(np.int64)])
    item = np.concatenate([item, later["item"].to_numpy()])
    order = np.argsort(target, kind="stable")
    edge = np.searchsorted(target[order], np.arange(len(targets) + 1))
    return [item[order[edge[t] : edge[t + 1]]] for t in range(len(targets))]


def _view(table: pl.DataFrame, most: int) -> SampledView:
    count_P = table["others"].list.len().to_numpy().astype(np.int64)
    other_PC = np.full((len(table), most), NOBODY, np.int64)
    other_PC[np.arange(most) < count_P[:, None]] = table["others"].explode().drop_nulls().to_numpy()
    return SampledView(NAME, table["target"].to_numpy(), table["right"].to_numpy(), other_PC)


def _kept(file: Path, targets: MatchTargets) -> pl.DataFrame | None:
    """The table of these targets; None where there is none, or it is of others or damaged."""
    try:
        table = pl.read_parquet(file, glob=False)
        target = table["target"].to_numpy()
        fits = len(target) == 0 or target.max() < len(targets)
        alike = fits and (
            np.array_equal(table["owner"].to_numpy(), targets.owner_T[target])
            and np.array_equal(table["at"].to_numpy(), targets.at_T[target])
        )
    except (OSError, pl.exceptions.PolarsError):
        return None
    return table if alike else None


def _keep(table: pl.DataFrame, file: Path) -> bool:
    """Whether the table could be written, whole."""
    partial = file.with_name(f"{file.name}.{token_hex(4)}")
    try:
        table.write_parquet(partial)
        partial.replace(file)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            partial.unlink()
    return True
