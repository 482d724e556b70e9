"""Carts of Beibei and whether they were bought, parted by user; and what was not put in the cart.

Shape suffixes: C = cart pairs, N = rows of the entire space (carts and sampled non-carts).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.split import PARTS
from shelfwise.schema.errors import DataError

NON_CARTS = 4  # drawn for each cart
_COLUMNS = ("event", "user_id", "item_id")
_TENTHS = (7, 8)  # where validation and the test begin
_REPEATS = 100  # draws again of items that the user did take


@dataclass(frozen=True, slots=True)
class CartPairs:
    """Every cart pair, and for each ``NON_CARTS`` items that its user never took.

    Row ``c * (1 + NON_CARTS)`` of the entire space is cart ``c``; its non-carts follow it.
    """

    users: list[str]
    items: list[str]
    user_N: NDArray[np.int64]
    item_N: NDArray[np.int64]
    cart_N: NDArray[np.bool_]
    bought_N: NDArray[np.bool_]
    part_N: NDArray[np.int64]  # number of the part
    bought_outside: int  # purchases of pairs that were never in the cart

    def rows(self, part: str) -> NDArray[np.int64]:
        """Rows of a part, in order."""
        return np.flatnonzero(self.part_N == PARTS.index(part))

    def counts(self) -> dict[str, Any]:
        """What a report says of them."""
        carts = {part: int(self.cart_N[self.rows(part)].sum()) for part in PARTS}
        return {
            "users": len(self.users),
            "items": len(self.items),
            "carts": int(self.cart_N.sum()),
            "carts that were bought": int(self.bought_N.sum()),
            "purchases outside carts": self.bought_outside,
            **{f"carts of {part}": count for part, count in carts.items()},
            "rows of the test's entire space": len(self.rows("test")),
        }


def cart_pairs(shop: Path, seed: int) -> CartPairs:
    """Carts and purchases of a shop folder's events.parquet.

    Per user, carts in order of sha256(user|item): the first 70 % train, the next 10 % validate,
    the rest is the test; a user's first is always trained on.

    Raises:
        DataError: there is no such file, or it has no carts.
    """
    file = shop / "events.parquet"
    if not file.is_file() or not set(_COLUMNS) <= set(pl.read_parquet_schema(file)):
        raise DataError(f"{file}: needed with columns {', '.join(_COLUMNS)}")
    events = pl.read_parquet(file, columns=list(_COLUMNS)).drop_nulls().unique()
    carts, bought = (
        events.filter(pl.col("event") == kind).drop("event") for kind in ("cart", "purchase")
    )
    if len(carts) == 0:
        raise DataError(f"{file}: has no cart, which this benchmark predicts purchases from")
    pair = ["user_id", "item_id"]
    users, items = (events[name].unique().sort() for name in pair)
    # The user's own order, and a part by the place in it.
    keyed = _by_hash(carts.join(bought.with_columns(bought=True), on=pair, how="left"))
    place = pl.int_range(pl.len()).over("user_id") * 10
    count = pl.len().over("user_id")
    placed = keyed.with_columns(
        pl.sum_horizontal(place >= tenth * count for tenth in _TENTHS).alias("part")
    )
    user_C = users.search_sorted(placed["user_id"]).to_numpy().astype(np.int64)
    item_C = items.search_sorted(placed["item_id"]).to_numpy().astype(np.int64)
    outside = bought.join(carts, on=pair, how="anti")
    known = np.concatenate(
        [
            user_C * len(items) + item_C,
            users.search_sorted(outside["user_id"]).to_numpy().astype(np.int64) * len(items)
            + items.search_sorted(outside["item_id"]).to_numpy(),
        ]
    )
    other_CK = _never_taken(user_C, np.unique(known), len(items), seed)
    width = 1 + NON_CARTS
    return CartPairs(
        users=users.to_list(),
        items=items.to_list(),
        user_N=np.repeat(user_C, width),
        item_N=np.column_stack([item_C, other_CK]).ravel(),
        cart_N=np.tile(np.arange(width) == 0, len(user_C)),
        bought_N=_first_of(placed["bought"].fill_null(False).to_numpy(), width),
        part_N=np.repeat(placed["part"].to_numpy().astype(np.int64), width),
        bought_outside=len(outside),
    )


def _by_hash(pairs: pl.DataFrame) -> pl.DataFrame:
    digests = [
        hashlib.sha256(f"{user}|{item}".encode()).digest()
        for user, item in pairs.select("user_id", "item_id").iter_rows()
    ]
    return pairs.with_columns(pl.Series("digest", digests, pl.Binary)).sort("user_id", "digest")


def _never_taken(
    user_C: NDArray[np.int64], known: NDArray[np.int64], items: int, seed: int
) -> NDArray[np.int64]:
    """``[C, NON_CARTS]`` different items, uniformly among those that the user never took."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(items, size=(len(user_C), NON_CARTS))
    for _ in range(_REPEATS):
        taken = np.isin(user_C[:, None] * items + drawn, known)
        for one in range(1, NON_CARTS):
            taken[:, one] |= (drawn[:, :one] == drawn[:, one : one + 1]).any(axis=1)
        if not taken.any():
            return drawn
        drawn[taken] = rng.integers(items, size=int(taken.sum()))
    raise DataError("a user took nearly every item, so that no non-carts can be drawn")


def _first_of(value_C: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    found = np.zeros((len(value_C), width), np.bool_)
    found[:, 0] = value_C
    return found.ravel()
