"""What things cost, and which prices look like mistakes.

Shape suffixes in this file: N = items with a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from shelfwise.data.numbers import Scale, fit_scale
from shelfwise.data.report.spread import Spread, spread

_FAR = 5.0  # robust spreads from the centre
_EXAMPLES = 5
_BINS = 24


@dataclass(frozen=True, slots=True)
class FarPrice:
    item_id: str
    title: str
    price: float


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of the catalogue."""

    items: int
    missing: int
    zero: int
    usual: Spread
    scale: str  # "plain" or "log": how they are put on one scale for the model
    center: float  # back in money
    low: float  # where "far" begins, in money
    high: float
    far: int
    examples: tuple[FarPrice, ...]  # the furthest first
    edges: tuple[float, ...]  # of the histogram, in money; one more than counts
    counts: tuple[int, ...]


def prices(catalogue: pl.DataFrame) -> Prices | None:
    """None where no item has a price."""
    known = catalogue.filter(pl.col("price").is_not_null())
    if known.is_empty():
        return None
    price_N = known["price"].cast(pl.Float64).to_numpy()
    scale = fit_scale(price_N)
    value_N = np.log1p(price_N) if scale.form == "log" else price_N
    away_N = np.abs(value_N - scale.center) / scale.spread
    order = np.argsort(-away_N, kind="stable")
    far = order[away_N[order] > _FAR]
    shown = known[far[:_EXAMPLES].tolist()].select(
        "item_id", pl.col("title").fill_null(""), "price"
    )
    counts, edges = np.histogram(value_N, bins=_BINS if value_N.min() < value_N.max() else 1)
    return Prices(
        len(catalogue),
        len(catalogue) - len(known),
        int((price_N == 0).sum()),
        spread(price_N),
        scale.form,
        _back(scale, scale.center),
        max(0.0, _back(scale, scale.center - _FAR * scale.spread)),
        _back(scale, scale.center + _FAR * scale.spread),
        len(far),
        tuple(FarPrice(*row) for row in shown.iter_rows()),
        tuple(_back(scale, edge) for edge in edges.tolist()),
        tuple(counts.tolist()),
    )


def _back(scale: Scale, value: float) -> float:
    return float(np.expm1(value)) if scale.form == "log" else float(value)
