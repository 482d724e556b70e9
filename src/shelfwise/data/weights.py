"""How much each training row counts, so that busy shoppers and best-sellers do not drown the rest.

A row's weight is one over the effective number of training rows (Cui et al., 2019,
arXiv:1901.05555) of its owner, times the same of its item and of its kind of behaviour: n rows are
worth ``E(n) = (1 - beta**n) / (1 - beta)``, because the n-th row of the same adds only
``beta**(n - 1)`` of a new one. Weights serve training alone: evaluation and calibration count every
row once.

Shape suffixes in this file: K = different raw weights among the training rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.weight_options import Side, WeightOptions
from shelfwise.schema.event import EventKind

_COLUMNS: Mapping[Side, str] = {"user": "owner", "item": "item", "behaviour": "kind"}


def weigh(rows: pl.DataFrame, options: WeightOptions) -> pl.Series:
    """Weight of each row: within ``options.clip``, with a mean of 1 over the training rows.

    Raw weights are scaled by the one number that makes the mean of the *clipped* ones 1: the mean
    grows with the scale, without jumps, from the lower bound to the upper one, between which 1
    lies. Only training rows are counted; an owner, item or behaviour without any weighs like one
    with a single row.

    Args:
        rows: columns ``owner``, ``item``, ``kind``, and ``train`` (bool): whether the row lies in
            the training period, and may be counted.
        options: what shop.toml says.

    Returns:
        Float32, in the order of ``rows``. Without training rows, ones.
    """
    plain = not options.sides and not options.strengths
    if plain or not rows["train"].any():
        return pl.Series("weight", np.ones(len(rows), np.float32))
    raw = rows.select(_raw(options).alias("raw"), "train")
    counted = raw.filter("train").group_by("raw").len().sort("raw")
    raw_K, count_K = counted["raw"].to_numpy(), counted["len"].to_numpy().astype(np.float64)
    scaled = raw["raw"].to_numpy() * _scale(raw_K, count_K, options.clip)
    return pl.Series("weight", np.clip(scaled, *options.clip).astype(np.float32))


def _raw(options: WeightOptions) -> pl.Expr:
    raw = pl.lit(1.0)
    for side in options.sides:
        count = pl.col("train").sum().over(_COLUMNS[side]).clip(lower_bound=1)
        raw = raw * _inverse_effective_number(count, options.beta_of(side))
    if options.strengths:
        named = {str(kind): strength for kind, strength in options.strengths.items()}
        kind = pl.col("kind").cast(pl.String)
        raw = raw * kind.replace_strict(named, default=1.0, return_dtype=pl.Float64)
    return raw


def _inverse_effective_number(count: pl.Expr, beta: float) -> pl.Expr:
    # The factor (1 - beta) is the same for all rows, and left to the scale.
    return pl.lit(1.0) if beta == 0 else 1 / -(count * log(beta)).exp().sub(1)


def _scale(
    raw_K: NDArray[np.float64], count_K: NDArray[np.float64], clip: tuple[float, float]
) -> float:
    """The s with ``mean(clip(s * raw)) == 1``, raw weights sorted.

    The mean is linear in s between the values at which some weight reaches a bound, so it is
    computed at these and read off between them.
    """
    low, high = clip
    edges = np.unique(np.concatenate([low / raw_K, high / raw_K]))
    rows = np.concatenate([[0], count_K.cumsum()])
    mass = np.concatenate([[0], (count_K * raw_K).cumsum()])
    below = np.searchsorted(raw_K, low / edges)
    above = np.searchsorted(raw_K, high / edges)
    mean = low * rows[below] + edges * (mass[above] - mass[below]) + high * (rows[-1] - rows[above])
    # Rounding must not make a flat stretch fall.
    return float(np.interp(1.0, np.maximum.accumulate(mean / rows[-1]), edges))


def with_weights(
    impressions: pl.DataFrame,
    positives: pl.DataFrame,
    requests: pl.DataFrame,
    options: WeightOptions,
    trust: pl.Series | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Impressions and positives with their column ``weight``.

    The behaviour of an impression is to have been shown, whatever came of it: to weigh clicked
    rows more would teach the click head a rate that is not the shop's.

    Args:
        impressions: columns ``request``, ``item``.
        positives: columns ``request``, ``item``, ``kind``.
        requests: columns ``owner``, ``part``; row numbers are the requests' numbers.
        options: what shop.toml says.
        trust: how far requests are believed; left out, wholly.
    """
    shown = impressions.with_columns(pl.lit(EventKind.IMPRESSION.value).alias("kind"))
    tables = [(impressions, shown), (positives, positives)]
    weighed = [
        table.with_columns(_table_weight(rows, requests, options, trust)) for table, rows in tables
    ]
    return weighed[0], weighed[1]


def trust_in(
    requests: pl.DataFrame, soft_from: float | None, *, flagged_too: bool = False
) -> pl.Series:
    """``[len(requests)]`` from 0 to 1: how far what each request tells is believed.

    Suspected fraud is not, and is not counted either; of somebody less suspicious, by as much as
    the score is below 1.

    Args:
        requests: columns ``fraud``, ``suspicion``.
        soft_from: score from which somebody who is not flagged is believed less.
        flagged_too: believe those who are flagged like everybody else.
    """
    flagged = requests["fraud"].is_not_null()
    wholly = pl.ones(len(requests), pl.Float32, eager=True)
    if soft_from is not None:
        suspicion = requests["suspicion"]
        wholly = (1 - suspicion).zip_with((suspicion >= soft_from) & ~flagged, wholly)
    return wholly if flagged_too else wholly.set(flagged, 0.0)


def _table_weight(
    table: pl.DataFrame, requests: pl.DataFrame, options: WeightOptions, trust: pl.Series | None
) -> pl.Series:
    asked = requests.select("owner", "part")[table["request"]]
    train = asked["part"] == "train"
    believed = None if trust is None else trust.gather(table["request"])
    rows = table.select("item", "kind").with_columns(
        asked["owner"], (train if believed is None else train & (believed > 0)).alias("train")
    )
    weight = weigh(rows, options)
    return weight if believed is None else weight * believed


def weight_effect(rows: pl.DataFrame, head: float = 0.2) -> pl.DataFrame:
    """What weighing does to the busiest items and owners, and to all others.

    Args:
        rows: columns ``owner``, ``item``, ``weight``: the training rows.
        head: share of the items, and of the owners, that is called head: those with most rows.

    Returns:
        A row for each of (item, owner) x (head, tail): ``of``, ``group``, ``size`` (how many
        items or owners), ``rows``, and the group's ``share_before`` of all rows and
        ``share_after`` of all weight.
    """
    return pl.concat([_effect_on(rows, name, head) for name in ("item", "owner")])


def _effect_on(rows: pl.DataFrame, name: str, head: float) -> pl.DataFrame:
    return (
        rows.group_by(name)
        .agg(pl.len().cast(pl.Int64).alias("rows"), pl.col("weight").cast(pl.Float64).sum())
        .sort("rows", name, descending=[True, False])
        .with_columns(
            pl.when(pl.int_range(pl.len()) < (head * pl.len()).ceil())
            .then(pl.lit("head"))
            .otherwise(pl.lit("tail"))
            .alias("group"),
        )
        .group_by("group", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("size"), pl.col("rows", "weight").sum())
        .select(
            pl.lit(name).alias("of"),
            "group",
            "size",
            "rows",
            (pl.col("rows") / pl.col("rows").sum()).alias("share_before"),
            (pl.col("weight") / pl.col("weight").sum()).alias("share_after"),
        )
    )
