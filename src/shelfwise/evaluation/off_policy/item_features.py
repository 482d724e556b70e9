"""What the reward model of a shop's log knows of an item in a slot.

Simple on purpose: the item's click rate and how often it was shown and taken before the part that
is evaluated, its price, and the place. A poor model costs width, never the doubly robust
estimate's validity.

Shape suffixes: N = slots, V = items, F = features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import labels_as_of
from shelfwise.data.item_facts import item_facts
from shelfwise.data.part_rows import rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part

_SHRUNK = 20.0  # impressions' worth of the mean rate


@dataclass(frozen=True, slots=True)
class ItemFeatures:
    """Figures of every item, from before the test."""

    figure_VF: NDArray[np.float64]  # a column of ones first

    @classmethod
    def of(cls, prepared: PreparedShop, before: Sequence[Part]) -> ItemFeatures:
        """From parts that come before those that are evaluated."""
        price_VF = item_facts(prepared, before).number_VF.astype(np.float64)
        columns = [np.ones(len(price_VF)), *_rates(prepared, before)]
        return cls(np.concatenate([np.stack(columns, axis=1), price_VF], axis=1))

    def at(self, item_N: NDArray[np.int64], place_N: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[N, 2F]`` every figure by itself and fading down the list."""
        figure_NF = self.figure_VF[item_N]
        return np.concatenate([figure_NF, figure_NF / np.sqrt(place_N)[:, None]], axis=1)


def _rates(prepared: PreparedShop, before: Sequence[Part]) -> tuple[NDArray[np.float64], ...]:
    items = len(prepared.items)
    shown = rows_of_parts(prepared, prepared.impressions, before)
    until = prepared.moments.known_until(before)
    shown = labels_as_of(shown, until, prepared.options.attribution)
    item_N = shown["item"].cast(pl.Int64).to_numpy()
    clicked_N = shown["clicked"].cast(pl.Float64).to_numpy()
    mean = clicked_N.mean() if clicked_N.any() else 0.1
    shown_V = np.bincount(item_N, minlength=items)
    hit_V = np.bincount(item_N, clicked_N, minlength=items) + _SHRUNK * mean
    rate_V = hit_V / (shown_V + _SHRUNK)
    return rate_V, np.log(rate_V), np.log1p(shown_V)
