"""How unevenly events fall on items, or on shoppers: the head, the tail, and what lies between.

Shape suffixes in this file: N = items or shoppers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.report.thin_log import collect
from shelfwise.schema.event import EventKind

_HEADS = (0.01, 0.1, 0.2)
_POINTS = 50  # of the curve


@dataclass(frozen=True, slots=True)
class Concentration:
    """How many events fall on how few."""

    of: str  # "items" or "shoppers"
    events: str  # which events were counted, in words
    count: int  # with one event at least
    rows: int
    gini: float  # 0: all the same; near 1: one has everything
    top: dict[str, float]  # "1 %" -> share of the events that the top 1 % have
    once: float  # share that have exactly one event
    median: float  # events of the one in the middle
    curve: tuple[tuple[float, float], ...]  # Lorenz: share of items, rarest first -> of events


def concentration(thin: pl.LazyFrame, column: str, of: str) -> Concentration:
    """Concentration of what shoppers did, or of what was shown where nothing else is logged.

    Args:
        thin: as `thin_log` makes it.
        column: ``item_id`` or ``owner``.
        of: what the column's values are, in the plural.
    """
    shown = pl.col("event") == EventKind.IMPRESSION
    named = thin.filter(pl.col(column).is_not_null())
    counts = collect(
        named.group_by(column).agg((~shown).sum().alias("acts"), shown.sum().alias("shown"))
    )
    acts = bool(counts["acts"].sum())
    rows = counts["acts" if acts else "shown"].to_numpy()
    said = "everything but impressions" if acts else "impressions"
    return _concentration(of, said, rows[rows > 0].astype(np.int64))


def _concentration(of: str, events: str, rows_N: NDArray[np.int64]) -> Concentration:
    count, total = len(rows_N), int(rows_N.sum())
    rising_N = np.sort(rows_N)
    held_N = np.concatenate([[0], rising_N.cumsum()])  # held_N[k]: events of the k rarest
    return Concentration(
        of,
        events,
        count,
        total,
        gini(rows_N),
        {f"{share:.0%}".replace("%", " %"): top_share(rows_N, share) for share in _HEADS},
        float((rows_N == 1).mean()) if count else nan,
        float(np.median(rows_N)) if count else nan,
        tuple(
            (place / count, float(held_N[place]) / total)
            for place in sorted({round(count * step / _POINTS) for step in range(_POINTS + 1)})
        )
        if count
        else (),
    )


def gini(rows_N: NDArray[np.int64]) -> float:
    """``2 sum(i x_i) / (n sum(x)) - (n + 1) / n`` over values in rising order, i from 1."""
    if len(rows_N) == 0 or rows_N.sum() == 0:
        return nan
    rising_N, place_N = np.sort(rows_N).astype(np.float64), np.arange(1, len(rows_N) + 1)
    count = len(rows_N)
    return float(2 * (place_N * rising_N).sum() / (count * rising_N.sum()) - (count + 1) / count)


def top_share(rows_N: NDArray[np.int64], share: float) -> float:
    """Share of the events that the most frequent ``share`` of all have, at least one of them."""
    if len(rows_N) == 0 or rows_N.sum() == 0:
        return nan
    most = ceil(len(rows_N) * share - 1e-9)
    return float(np.sort(rows_N)[::-1][:most].sum() / rows_N.sum())
