"""Declared columns as a network takes them: numbers on one scale, categories as codes.

Scales and vocabularies are made from the training period alone, by who and what took part in it,
and stay with the prepared folder: what comes later, and what is served, is measured by them.

Shape suffixes in this file: U = owners, V = items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.features.behaviour import Log, counted
from shelfwise.data.features.declared import types_of
from shelfwise.data.features.options import FeatureOptions, FeatureTypes, Table
from shelfwise.data.numbers import Scale, fit_scale, standardise
from shelfwise.data.prepared import VOCABULARIES, PreparedShop

MISSING, UNSEEN = 0, 1  # codes of a category; those that training met follow, the commonest first
WORDS = pl.Schema(
    {
        "table": pl.String(),
        "column": pl.String(),
        "value": pl.String(),
        "code": pl.UInt32(),
        "rows": pl.UInt32(),  # of training
    }
)


class Fitted(NamedTuple):
    """What training knows of declared columns."""

    scales: Mapping[str, Scale]  # of numbers, by "table.column"
    words: pl.DataFrame  # of categories, as WORDS

    def facts(self) -> dict[str, dict[str, Any]]:
        """The scales as the manifest keeps them."""
        return {name: scale._asdict() for name, scale in self.scales.items()}


def fit_columns(log: Log, users: pl.DataFrame, options: FeatureOptions) -> Fitted:
    """Scales and vocabularies of every declared column.

    Columns of the log are measured over what was shown in training (over its requests, where the
    log does not say what was shown), users and items over those that training has met.
    """
    if not (options.events or options.users or options.items):
        return Fitted({}, pl.DataFrame(schema=WORDS))
    met_U, met_V = _met(log)
    rows: dict[Table, pl.DataFrame] = {
        "events": _asked_in_training(log),
        "users": users.filter(pl.Series(met_U, dtype=pl.Boolean).gather(users["owner"])),
        "items": log.items.filter(pl.Series(met_V, dtype=pl.Boolean)),
    }
    scales, words = {}, [pl.DataFrame(schema=WORDS)]
    for table, found in rows.items():
        for name, kind in types_of(options, table).items():
            if kind == "number":
                values = found[name].cast(pl.Float64).fill_null(float("nan"))
                scales[f"{table}.{name}"] = fit_scale(values.to_numpy())
            elif kind == "category":
                words.append(_vocabulary(table, found[name]))
    return Fitted(scales, pl.concat(words))


def _met(log: Log) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which owners and items had done anything that counts when training ended."""
    met_U, met_V = np.zeros(log.owners, bool), np.zeros(len(log.items), bool)
    for acts in counted(log).values():
        early_E = acts.at_E < log.moments.validation
        met_U[acts.owner_E[early_E]] = True
        met_V[acts.item_E[early_E & (acts.item_E >= 0)]] = True
    return met_U, met_V


def _asked_in_training(log: Log) -> pl.DataFrame:
    trained_R = log.requests.select((pl.col("part") == "train") & pl.col("fraud").is_null())
    if log.impressions.is_empty():
        return log.requests.filter(trained_R.to_series())
    return log.impressions.filter(trained_R.to_series().gather(log.impressions["request"]))


def _vocabulary(table: Table, values: pl.Series) -> pl.DataFrame:
    counts = values.drop_nulls().rename("value").value_counts(name="rows")
    return (
        counts.sort("rows", "value", descending=[True, False])
        .with_row_index("code", offset=UNSEEN + 1)
        .with_columns(table=pl.lit(table), column=pl.lit(values.name))
        .select(pl.col(name).cast(dtype) for name, dtype in WORDS.items())
    )


def fitted_of(prepared: PreparedShop) -> Fitted:
    """What preparation fitted."""
    scales = prepared.manifest.facts["features"]["scales"]
    words = pl.read_parquet(prepared.folder / VOCABULARIES, glob=False)
    return Fitted({name: Scale(**scale) for name, scale in scales.items()}, words)


def encode(rows: pl.DataFrame, table: Table, types: FeatureTypes, fitted: Fitted) -> pl.DataFrame:
    """Declared columns of some rows, of any period, in the order of ``types``.

    A number becomes ``Float32``, spreads from the centre within +-5 and null where it is missing; a
    category ``UInt32``, 0 where it is missing and 1 where training never met it; text stays.
    """
    columns = []
    for name, kind in types.items():
        if kind == "number":
            values = rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
            told = standardise(values, fitted.scales[f"{table}.{name}"]).astype(np.float32)
            columns.append(pl.Series(name, told, nan_to_null=True))
        elif kind == "category":
            columns.append(_codes(rows[name], table, fitted))
        else:
            columns.append(rows[name])
    return pl.DataFrame(columns)


def _codes(values: pl.Series, table: Table, fitted: Fitted) -> pl.Series:
    known = fitted.words.filter((pl.col("table") == table) & (pl.col("column") == values.name))
    codes = values.replace_strict(
        known["value"], known["code"], default=UNSEEN, return_dtype=pl.UInt32
    )
    return codes.set(values.is_null(), MISSING)


def encoded(prepared: PreparedShop, table: Table) -> pl.DataFrame:
    """All declared columns of a table of a prepared shop.

    Of the log, row by row as ``impressions`` or, where the log does not say what was shown, as
    ``requests``; of users, as ``users``; of items, as ``items``.
    """
    of_events = prepared.impressions if prepared.has_impressions else prepared.requests
    rows = {"events": of_events, "users": prepared.users, "items": prepared.items}[table]
    return encode(rows, table, types_of(prepared.options.features, table), fitted_of(prepared))
