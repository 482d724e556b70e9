"""Classes that an item's text alone should tell: its brand, its category, and its price band.

Classes are those of items that training has met, and price bands cut their prices into parts of
like size; an item outside them has no class, and teaches nothing of that attribute.

Shape suffixes in this file: V = items, A = attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.category_path import path_parts
from shelfwise.data.item_facts import met_in
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part

MOST_CLASSES = 200  # of an attribute, the most frequent
LEAST_ITEMS = 3  # that training has met of a class
_BANDS = 5


class _Attribute(NamedTuple):
    name: str
    class_V: pl.Series  # text; null where an item has none


@dataclass(frozen=True, slots=True)
class ItemClasses:
    """The class of every item in each attribute that can be learned."""

    names: dict[str, tuple[str, ...]]  # attribute -> its classes, the most frequent first
    class_VA: NDArray[np.int64]  # number of the class, -1 none; attributes in the order of names

    def facts(self) -> dict[str, Any]:
        """What a run remembers: classes of each attribute, items that have one, and the others."""
        return {
            name: {
                "classes": len(self.names[name]),
                "items": int((self.class_VA[:, place] >= 0).sum()),
                "left_out": int((self.class_VA[:, place] < 0).sum()),
            }
            for place, name in enumerate(self.names)
        }


def item_classes(prepared: PreparedShop, parts: Sequence[Part]) -> ItemClasses:
    """The attributes of a catalogue, as far as items met in ``parts`` can teach them."""
    warm_V = met_in(prepared, parts)
    names: dict[str, tuple[str, ...]] = {}
    columns = [np.empty((len(warm_V), 0), np.int64)]
    for name, class_V in _attributes(prepared.items, warm_V):
        found = _classes(class_V, warm_V)
        if len(found) > 1:  # of one class there is nothing to tell
            names[name] = found
            number = class_V.replace_strict(list(found), list(range(len(found))), default=-1)
            columns.append(number.fill_null(-1).cast(pl.Int64).to_numpy()[:, None])
    return ItemClasses(names, np.concatenate(columns, axis=1))


def _attributes(items: pl.DataFrame, warm_V: NDArray[np.bool_]) -> list[_Attribute]:
    category = items["category"].cast(pl.String).replace("", None)
    top = [None if path is None else path_parts(path)[0] for path in category]
    return [
        _Attribute("brand", items["brand"].cast(pl.String).replace("", None)),
        _Attribute("department", pl.Series(top, dtype=pl.String)),
        _Attribute("category", category),
        _Attribute("price_band", _price_bands(items["price"].cast(pl.Float64), warm_V)),
    ]


def _price_bands(price_V: pl.Series, warm_V: NDArray[np.bool_]) -> pl.Series:
    """Fifths of the prices that training has met; fewer where many items cost the same."""
    known = price_V.to_numpy()
    met = known[warm_V & ~np.isnan(known)]
    if len(met) == 0:
        return pl.Series([None] * len(known), dtype=pl.String)
    edges = np.unique(np.quantile(met, np.arange(1, _BANDS) / _BANDS))
    band = np.searchsorted(edges, known, side="left")
    words = [f"up to {edge:g}" for edge in edges] + [f"above {edges[-1]:g}"]
    told = [None if np.isnan(p) else words[b] for p, b in zip(known, band, strict=True)]
    return pl.Series(told, dtype=pl.String)


def _classes(class_V: pl.Series, warm_V: NDArray[np.bool_]) -> tuple[str, ...]:
    met = class_V.filter(pl.Series(warm_V, dtype=pl.Boolean)).drop_nulls()
    counts = met.alias("class").to_frame().group_by("class").len()
    often = counts.filter(pl.col("len") >= LEAST_ITEMS).sort(
        ["len", "class"], descending=[True, False]
    )
    return tuple(often["class"].head(MOST_CLASSES))
