"""What a trial may learn from and is judged by: never anything of the test.

The test's rows are in no part of these views, so that nothing that trains or judges can read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from shelfwise.data.folds import before_test
from shelfwise.data.prepared import Prepared, PreparedJudgements, PreparedPairs, PreparedShop
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import Manifest
from shelfwise.tuning.config import TuneOptions


@dataclass(frozen=True, slots=True)
class Stage:
    """One training of a trial."""

    name: str
    share: float  # of the users and of the time
    view: Callable[[], Prepared]


def stages_of(prepared: Prepared, options: TuneOptions) -> list[Stage]:
    """The trainings of a trial, in order; one where neither shares nor folds are asked for.

    Raises:
        ConfigError: folds of a shop without users.
    """
    if not options.folds:
        return [
            Stage(f"{share:.0%}", share, partial(without_test, prepared, share))
            for share in options.shares
        ]
    if not isinstance(prepared, PreparedShop):
        raise ConfigError("tune.folds: folds are by user, and this shop has none; set it to 0")
    return [
        Stage(f"fold {fold + 1}", 1.0, partial(before_test, prepared, fold=(fold, options.folds)))
        for fold in range(options.folds)
    ]


def without_test(prepared: Prepared, share: float = 1.0) -> Prepared:
    """The same shop without its test, and of training a share of the users (queries, texts)."""
    match prepared:
        case PreparedShop():
            return before_test(prepared, share)
        case PreparedPairs():
            return replace(
                prepared,
                manifest=_renamed(prepared, share),
                rows=_shortened(prepared.rows, pl.col("text"), share),
            )
        case PreparedJudgements():
            return replace(
                prepared,
                manifest=_renamed(prepared, share),
                judgements=_shortened(prepared.judgements, pl.col("query"), share),
            )


def _shortened(rows: pl.DataFrame, key: pl.Expr, share: float) -> pl.DataFrame:
    """Without the test, and with the training rows of a share of the keys."""
    rows = rows.filter(pl.col("part") != "test")
    if share >= 1:
        return rows
    keys = rows.select(key.unique().cast(pl.String)).to_series()
    kept = keys.filter(pl.Series([_place(one) < share for one in keys]))
    return rows.filter((pl.col("part") != "train") | key.cast(pl.String).is_in(kept.implode()))


def _place(key: str) -> float:
    return int.from_bytes(hashlib.sha256(f"share:{key}".encode()).digest()[:8]) / 2**64


def _renamed(prepared: PreparedPairs | PreparedJudgements, share: float) -> Manifest:
    told = f"{prepared.manifest.data_fingerprint}:before the test, {share:.3%}"
    fingerprint = hashlib.sha256(told.encode()).hexdigest()
    return prepared.manifest.model_copy(update={"data_fingerprint": fingerprint})
