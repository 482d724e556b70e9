"""What the network is told of an item beside its text: its price on a robust scale, and whether
training has met it.

Shape suffixes in this file: V = items, F = numbers of an item.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.numbers import Scale, fit_scale, standardise
from shelfwise.data.prepared import PreparedShop

NUMBERS = 2  # price on a robust scale; 1 where the price is missing


class ItemFacts(NamedTuple):
    number_VF: NDArray[np.float32]
    warm_V: NDArray[np.bool_]  # seen before the end of training
    price_scale: Scale
    end: int  # moment the facts were taken at, microseconds


def item_facts(prepared: PreparedShop, end: int) -> ItemFacts:
    """Numbers of every item, the scale taken only from items met before ``end``."""
    warm_V = met_before(prepared, end)
    price_V = prepared.items["price"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    scale = fit_scale(price_V[warm_V] if warm_V.any() else price_V)
    return ItemFacts(price_numbers(price_V, scale), warm_V, scale, end)


def met_before(prepared: PreparedShop, end: int) -> NDArray[np.bool_]:
    """``[V]`` whether any event, impression or match named the item before ``end``."""
    history = prepared.history
    met_V = np.zeros(len(prepared.items), dtype=bool)
    early_E = (history.at_E < end) & (history.item_E >= 0)
    met_V[history.item_E[early_E]] = True
    # Matches too: history.behaviours may leave out what match.events asks for.
    for rows in (prepared.impressions, prepared.positives):
        met_V[rows.filter(pl.col("at") < end)["item"].unique().to_numpy()] = True
    return met_V


def price_numbers(price_V: NDArray[np.float64], scale: Scale) -> NDArray[np.float32]:
    """``[V, F]`` price on its scale, within +-5, and whether it is missing."""
    missing_V = np.isnan(price_V)
    z_V = np.where(missing_V, 0, standardise(price_V, scale))
    return np.stack([z_V, missing_V], axis=1).astype(np.float32)
