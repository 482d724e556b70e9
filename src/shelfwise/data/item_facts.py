"""What the network is told of an item beside its text: its price on a robust scale, and whether
training has met it.

Shape suffixes in this file: V = items, F = numbers of an item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.item_groups import item_groups
from shelfwise.data.negatives import NEVER
from shelfwise.data.numbers import Scale, fit_scale, standardise
from shelfwise.data.part_rows import believed, believed_owners, held_out_after, rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part

NUMBERS = 2  # price on a robust scale; 1 where the price is missing


class ItemFacts(NamedTuple):
    number_VF: NDArray[np.float32]
    group_VC: NDArray[np.int64]  # as `item_groups` numbers them
    warm_V: NDArray[np.bool_]  # seen before the end of training
    first_V: NDArray[np.int64]  # moment each item was met first, microseconds
    price_scale: Scale
    end: int  # moment the facts were taken at, microseconds


def item_facts(prepared: PreparedShop, parts: Sequence[Part]) -> ItemFacts:
    """Numbers of every item, the scale taken only from items that ``parts`` have met.

    What suspected fraud alone has met, was not met: nothing is learned of it.
    """
    warm_V = met_in(prepared, parts)
    price_V = prepared.items["price"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    scale = fit_scale(price_V[warm_V] if warm_V.any() else price_V)
    end = prepared.moments.known_until(parts)
    return ItemFacts(
        number_VF=price_numbers(price_V, scale),
        group_VC=item_groups(prepared.items),
        warm_V=warm_V,
        first_V=first_met(prepared),
        price_scale=scale,
        end=end,
    )


def first_met(prepared: PreparedShop) -> NDArray[np.int64]:
    """``[V]`` moment of the first event, impression or match that names each item, fraud aside.

    A log that knows order alone says nothing of what came first among different users: there
    every item was there from the beginning.
    """
    if prepared.manifest.facts.get("clock") == "order":
        return np.full(len(prepared.items), prepared.moments.first, np.int64)
    first_V = np.full(len(prepared.items), NEVER, np.int64)
    history = prepared.history
    named_E = _believed_events(prepared)
    np.minimum.at(first_V, history.item_E[named_E], history.at_E[named_E])
    for rows in (believed(prepared.impressions), believed(prepared.positives)):
        np.minimum.at(first_V, rows["item"].to_numpy(), rows["at"].to_numpy())
    return first_V


def met_in(prepared: PreparedShop, parts: Sequence[Part]) -> NDArray[np.bool_]:
    """``[V]`` whether an item was met by whoever has seen ``parts`` alone.

    Where time parts the split: in any event before their end. Elsewhere: in a history, an
    impression or a match of their requests, held-out items never. Suspected fraud is nobody.
    """
    if prepared.options.split.by_time:
        return met_before(prepared, prepared.moments.known_until(parts))
    history = prepared.history
    met_V = np.zeros(len(prepared.items), dtype=bool)
    looked_at_E = _in_histories(prepared, parts) & _believed_events(prepared)
    met_V[history.item_E[looked_at_E]] = True
    for rows in (believed(prepared.impressions), believed(prepared.positives)):
        met_V[rows_of_parts(prepared, rows, parts)["item"].unique().to_numpy()] = True
    return met_V & ~held_out_after(prepared, parts)


def _believed_events(prepared: PreparedShop) -> NDArray[np.bool_]:
    """``[E]`` events that name an item, but for those of owners who are doubted in everything."""
    history = prepared.history
    believed_E = np.repeat(believed_owners(prepared), np.diff(history.offset_U1))
    found: NDArray[np.bool_] = believed_E & (history.item_E >= 0)
    return found


def _in_histories(prepared: PreparedShop, parts: Sequence[Part]) -> NDArray[np.bool_]:
    """``[E]`` whether an event stands in the history of a request of ``parts``."""
    history = prepared.history
    asked = prepared.requests.filter(pl.col("part").is_in(list(parts)))
    end_U = history.offset_U1[:-1].copy()
    np.maximum.at(end_U, asked["owner"].to_numpy(), asked["history_end"].to_numpy())
    end_E = np.repeat(end_U, np.diff(history.offset_U1))
    return np.arange(len(end_E)) < end_E


def met_before(prepared: PreparedShop, end: int) -> NDArray[np.bool_]:
    """``[V]`` whether any event, impression or match named the item before ``end``, fraud aside."""
    history = prepared.history
    met_V = np.zeros(len(prepared.items), dtype=bool)
    early_E = (history.at_E < end) & _believed_events(prepared)
    met_V[history.item_E[early_E]] = True
    # Matches too: history.behaviours may leave out what match.events asks for.
    for rows in (believed(prepared.impressions), believed(prepared.positives)):
        met_V[rows.filter(pl.col("at") < end)["item"].unique().to_numpy()] = True
    return met_V


def price_numbers(price_V: NDArray[np.float64], scale: Scale) -> NDArray[np.float32]:
    """``[V, F]`` price on its scale, within +-5, and whether it is missing."""
    missing_V = np.isnan(price_V)
    z_V = np.where(missing_V, 0, standardise(price_V, scale))
    return np.stack([z_V, missing_V], axis=1).astype(np.float32)
