"""The slots of a log whose propensity is known, and what else could have stood there.

Shape suffixes: N = slots, R = requests, V = items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import labels_as_of
from shelfwise.data.part_rows import rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.schema.event import Surface

Reward = Literal["click", "purchase", "revenue"]
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Pool:
    """Items that a surface can show: those it had shown before the request.

    So the evaluated policy never asks for an item that was not yet sold, nor for one that this
    surface does not serve. *Before*: were a request's own items in its pool, the pool would depend
    on what was drawn, and weights would not average to 1.
    """

    first_V: NDArray[np.int64]  # moment each was first shown there; the largest number: never
    order_V: NDArray[np.int64]  # items by that moment

    @classmethod
    def of(cls, shown: pl.DataFrame, items: int) -> Pool:
        """The pool of a surface from everything it ever showed."""
        first_V = np.full(items, _NEVER, np.int64)
        np.minimum.at(first_V, shown["item"].to_numpy(), shown["at"].to_numpy())
        return cls(first_V, np.argsort(first_V, kind="stable"))

    def size(self, at_N: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many items could be shown at each moment."""
        return np.searchsorted(self.first_V[self.order_V], at_N, side="left")

    def holds(self, item_N: NDArray[np.int64], at_N: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each item could be shown at each moment."""
        return np.asarray(self.first_V[item_N] < at_N)


@dataclass(frozen=True, slots=True)
class LoggedSlots:
    """Slots of one surface, grouped by request, from the top of each list down."""

    request_N: NDArray[np.int64]  # number of the prepared request
    owner_N: NDArray[np.int64]
    at_N: NDArray[np.int64]  # moment of the request
    place_N: NDArray[np.int64]  # 1 is the first
    item_N: NDArray[np.int64]
    propensity_N: NDArray[np.float64]
    reward_N: NDArray[np.float64]
    above_NL: NDArray[np.int64]  # items above in the list, padded with -1
    pool: Pool
    left_out: dict[str, int]  # reason -> rows
    unpriced: int  # rows whose revenue is not known and counts as 0

    def __len__(self) -> int:
        return len(self.item_N)

    def chosen(self, rows: NDArray[np.int64]) -> LoggedSlots:
        """Some of the slots; what stands above each stays the same."""
        return replace(
            self,
            request_N=self.request_N[rows],
            owner_N=self.owner_N[rows],
            at_N=self.at_N[rows],
            place_N=self.place_N[rows],
            item_N=self.item_N[rows],
            propensity_N=self.propensity_N[rows],
            reward_N=self.reward_N[rows],
            above_NL=self.above_NL[rows],
        )


def logged_slots(
    prepared: PreparedShop, parts: Sequence[Part], surface: Surface, reward: Reward
) -> LoggedSlots:
    """Every slot of ``surface`` in ``parts`` that says with what probability it was filled.

    Left out and counted: rows without place or propensity, rows of suspected machines, and, where
    purchases are the reward, rows whose purchase window is still open.
    """
    requests = prepared.requests.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("request"),
        "owner",
        pl.col("at").alias("asked_at"),
        pl.col("surface").cast(pl.String),
    ).filter(pl.col("surface") == surface.value)
    until = prepared.moments.known_until(parts)
    everything = prepared.impressions.with_columns(pl.col("request").cast(pl.Int64)).join(
        requests, on="request", how="inner", maintain_order="left"
    )
    inside = rows_of_parts(prepared, everything, parts)
    inside = labels_as_of(inside, until, prepared.options.attribution)
    placed = inside.filter(pl.col("position").is_not_null() & (pl.col("position") > 0))
    placed = placed.sort("request", "position", maintain_order=True)
    above_NL = _above(placed)
    counted, left_out = _sorted_out(placed, reward)
    left_out |= {"no place in the list": len(inside) - len(placed)}
    kept = placed.with_row_index("row").filter(counted)
    rows = kept["row"].to_numpy()
    return LoggedSlots(
        request_N=kept["request"].to_numpy(),
        owner_N=kept["owner"].cast(pl.Int64).to_numpy(),
        at_N=kept["asked_at"].to_numpy(),
        place_N=kept["position"].cast(pl.Int64).to_numpy(),
        item_N=kept["item"].cast(pl.Int64).to_numpy(),
        propensity_N=kept["propensity"].to_numpy(),
        reward_N=_reward(kept, prepared, reward),
        above_NL=above_NL[rows],
        pool=Pool.of(everything, len(prepared.items)),
        left_out={reason: count for reason, count in left_out.items() if count},
        unpriced=_unpriced(kept, prepared) if reward == "revenue" else 0,
    )


def _sorted_out(placed: pl.DataFrame, reward: Reward) -> tuple[pl.Series, dict[str, int]]:
    """Which rows count, and why the others do not; a row is counted for its first reason."""
    kept = pl.Series(np.ones(len(placed), dtype=bool))
    rules = {
        "no propensity": placed["propensity"].is_not_null(),
        "a suspected machine": placed["weight"] > 0,
    }
    if reward != "click":
        rules["purchase window still open"] = placed["known"]
    left_out = {}
    for reason, fine in rules.items():
        left_out[reason] = int((kept & ~fine).sum())
        kept = kept & fine
    return kept, left_out


def _reward(kept: pl.DataFrame, prepared: PreparedShop, reward: Reward) -> NDArray[np.float64]:
    if reward == "click":
        return kept["clicked"].cast(pl.Float64).to_numpy()
    bought_N = kept["purchased"].cast(pl.Float64).to_numpy()
    if reward == "purchase":
        return bought_N
    price_V = prepared.items["price"].cast(pl.Float64).fill_null(0.0).to_numpy()
    return np.asarray(bought_N * price_V[kept["item"].to_numpy()])


def _unpriced(kept: pl.DataFrame, prepared: PreparedShop) -> int:
    """Purchases of items whose price the catalogue does not tell."""
    unknown_V = prepared.items["price"].is_null().to_numpy()
    return int((kept["purchased"].to_numpy() & unknown_V[kept["item"].to_numpy()]).sum())


def _above(placed: pl.DataFrame) -> NDArray[np.int64]:
    """``[N, L]`` the items above each row in its list; rows are sorted by request and place."""
    request_N = placed["request"].to_numpy()
    item_N = placed["item"].cast(pl.Int64).to_numpy()
    if not len(request_N):
        return np.zeros((0, 0), np.int64)
    starts_N = np.r_[True, request_N[1:] != request_N[:-1]]
    first_N = np.maximum.accumulate(np.where(starts_N, np.arange(len(request_N)), 0))
    depth_N = np.arange(len(request_N)) - first_N
    above_NL = np.full((len(request_N), int(depth_N.max())), -1, np.int64)
    for back in range(1, above_NL.shape[1] + 1):
        rows = np.flatnonzero(depth_N >= back)
        above_NL[rows, depth_N[rows] - back] = item_N[rows - back]
    return above_NL
