"""Searches that train: a Bayesian one, and twice as many trials by chance, on judged searches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from optuna.storages import InMemoryStorage

from benchmarks.result import Result, peak_mib
from benchmarks.search_contest import Trace
from benchmarks.shops import Shop, configured_by, name_of, shop_of
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import Prepared
from shelfwise.evaluation.tuning.objective import Trials
from shelfwise.evaluation.tuning.usual import usual_options
from shelfwise.schema.progress import Progress
from shelfwise.tuning.config import SamplerName, TuneOptions
from shelfwise.tuning.plan import Budget, Plan
from shelfwise.tuning.searched import searched_space
from shelfwise.tuning.space import Space
from shelfwise.tuning.study import Study

PROTOCOL = (
    "Home Depot, judged searches parted by query; a trial trains for {minutes:g} minutes at most, "
    "and its value is Spearman's correlation with the grades of validation. The Bayesian search "
    "(gp, eight evenly spread trials first) has {trials} trials, the one by chance {twice}; both "
    "begin with the defaults. Searched: {options}. The test is not read."
)


def compare_searches(
    data: Path,
    counts: tuple[int, int],
    minutes: float,
    settings: Sequence[str],
    progress: Progress,
) -> Result:
    """Both searches with every seed; ``counts``: trials of the Bayesian one, and seeds."""
    began = time.perf_counter()
    trials, seeds = counts
    with TemporaryDirectory(prefix="live-") as folder:
        scratch = Path(folder)
        # Its own settings last: they are the asker's.
        asked = (f"train.minutes={minutes}", "train.epochs=50", *settings)
        shop = shop_of(data, "home-depot", scratch, asked, progress)
        prepared = prepare(shop.folder, scratch / "prepared", shop.config(), progress)
        space = searched_space(shop.config(), usual_options(prepared))
        found = []
        for sampler, count in (("gp", trials), ("random", 2 * trials)):
            values = [
                _best(prepared, shop, space, (sampler, count, seed), progress)  # type: ignore[arg-type]  # a name
                for seed in range(seeds)
            ]
            found.append(Trace(sampler, np.array(values)))
        fingerprint, counted = (
            prepared.manifest.data_fingerprint,
            dict(prepared.manifest.facts["counts"]),
        )
        name = name_of(prepared)
    mine, chance = (trace.best_SN[:, -1].mean() for trace in found)
    return Result(
        benchmark="tuning_live",
        protocol=PROTOCOL.format(
            minutes=minutes,
            trials=trials,
            twice=2 * trials,
            options=", ".join(axis.name for axis in space.axes),
        ),
        data={"name": name, "fingerprint": fingerprint, "counts": counted},
        figures={
            f"gp: best of {trials}": float(mine),
            f"random: best of {2 * trials}": float(chance),
            "gp less random": float(mine - chance),
        },
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=[row for trace in found for row in _rows(trace)],
    )


def _best(
    prepared: Prepared,
    shop: Shop,
    space: Space,
    asked: tuple[SamplerName, int, int],
    progress: Progress,
) -> list[float]:
    """Best so far of one search, trial by trial; a failed trial adds nothing."""
    sampler, count, seed = asked
    options = TuneOptions(sampler=sampler, pruner="none", seed=seed)
    with TemporaryDirectory(prefix="search-") as folder:
        trials = Trials(prepared, Path(folder), configured_by(shop), options, space)
        study = Study(Plan(space, (True,), options), InMemoryStorage(), Path(folder))
        study.begin_with([space.defaults(), *study.spread(count)])
        study.run(trials, Budget(count), progress)
    values = [t.values[0] if t.values else -np.inf for t in study.trials() if t.counts]
    best: list[float] = np.maximum.accumulate(values).tolist()
    return best


def _rows(trace: Trace) -> list[dict[str, Any]]:
    whole = trace.best_SN.shape[1]
    return [
        {
            "system": trace.sampler,
            "view": "main",
            "task": "search",
            "metric": f"best of {after}",
            "value": float(trace.best_SN[:, after - 1].mean()),
            "low": float(trace.best_SN[:, after - 1].min()),
            "high": float(trace.best_SN[:, after - 1].max()),
            "seeds": len(trace.best_SN),
            "support": len(trace.best_SN),
        }
        for after in sorted({1, 10, 20, 40, whole})
        if after <= whole
    ]
