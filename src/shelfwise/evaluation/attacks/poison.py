"""Fake shoppers put into a log before anything is learned from it, to have some items shown.

A seller hires users who take his items and hide it among others, by one of the recipes of the
literature (Mobasher, Burke, Bhaumik, Williams 2007, doi:10.1145/1278366.1278372). Each fake user
is a real one's skeleton: so many visits, so many items in each; moments are those of other
people's visits late in the log, where a push does most, so that neither sizes nor hours nor busy
days give it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind

Recipe = Literal["random", "bandwagon", "love and hate", "fake sales"]
RECIPES: Mapping[Recipe, str] = {
    "random": "beside the targets, any items of the catalogue",
    "bandwagon": "beside the targets, best-sellers",
    "love and hate": "beside the targets, any items, each of which is sent back",
    "fake sales": "targets bought in every visit, and sent back; any items beside them",
}
_HEAD = 0.05  # of the items: best-sellers
_UNKNOWN = (3, 20)  # buyers of an item that its seller wants pushed
_LONGEST = 300  # lines of a skeleton
_BACK = timedelta(days=2)  # after which something is sent back
_NEEDED = ("event", "user_id", "session_id", "item_id", "timestamp")


@dataclass(frozen=True, slots=True)
class Poison:
    """Who pushes what."""

    recipe: Recipe
    share: float = 0.05  # fake users, of the real ones
    targets: int = 5
    days: float = 30.0  # before the log's end, in which the fakes come
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A log with fake users in it."""

    events: pl.DataFrame
    targets: tuple[str, ...]  # item ids
    users: tuple[str, ...]  # the fake ones


def poisoned(events: pl.DataFrame, poison: Poison) -> Poisoned:
    """``events`` with fake users added behind them.

    Args:
        events: a shop's log of purchases by its canonical columns, real rows alone, with times,
            and no later than the fakes may act.
        poison: recipe and strength; its seed decides everything that is drawn.

    Raises:
        DataError: the log has lists that were shown, which no recipe can answer for the shop, or
            lacks a column or a purchase's visit, item or time, or has too few items that few have
            taken, or no others to hide them among.
    """
    missing = [name for name in _NEEDED if name not in events.columns]
    if missing or (events["event"] == EventKind.IMPRESSION.value).any():
        found = f"lacks {', '.join(missing)}" if missing else "has impressions"
        raise DataError(
            f"the log {found}; fake users can be added to logs of purchases that name users, "
            "visits, items and times"
        )
    rng = np.random.default_rng(poison.seed)
    bought = events.filter(pl.col("event") == EventKind.PURCHASE.value).drop_nulls("user_id")
    _refuse_unknown(bought)
    market = _Market.of(bought, poison, rng)
    users = bought["user_id"].unique().sort()
    count = round(poison.share * len(users))
    copied = rng.choice(users.to_numpy(), count)
    lines_of = bought.partition_by("user_id", as_dict=True)
    fakes = [
        _fake(lines_of[(user,)].head(_LONGEST), f"fake{number:06}", market, poison, rng)
        for number, user in enumerate(copied.tolist())
    ]
    added = pl.concat(fakes) if fakes else events.clear()
    return Poisoned(
        pl.concat([events, added.select(events.columns)]),
        tuple(market.targets.tolist()),
        tuple(f"fake{number:06}" for number in range(count)),
    )


def _refuse_unknown(bought: pl.DataFrame) -> None:
    unknown = {name: bought[name].null_count() for name in _NEEDED}
    told = ", ".join(f"{name} in {count:,}" for name, count in unknown.items() if count)
    if told:
        raise DataError(
            f"of the log's {len(bought):,} purchases of known users some lack what a fake user "
            f"copies: {told}; leave them out, or fill them in"
        )


@dataclass(frozen=True, slots=True)
class _Market:
    """What a fake user can take, and when people come."""

    items: NDArray[np.object_]  # ids, most taken first
    targets: NDArray[np.object_]
    price: pl.DataFrame  # item_id, price
    visits: pl.Series  # moments at which real visits began

    @classmethod
    def of(cls, bought: pl.DataFrame, poison: Poison, rng: np.random.Generator) -> _Market:
        takers = (
            bought.group_by("item_id")
            .agg(pl.col("user_id").n_unique().alias("takers"))
            .sort("takers", "item_id", descending=[True, False])
        )
        unknown = takers.filter(pl.col("takers").is_between(*_UNKNOWN))["item_id"]
        if len(unknown) < poison.targets:
            raise DataError(
                f"{len(unknown)} items have {_UNKNOWN[0]} to {_UNKNOWN[1]} buyers; "
                f"{poison.targets} are to be pushed"
            )
        if len(takers) <= poison.targets:
            raise DataError(
                f"all {len(takers)} items of the log are to be pushed, and none is left to hide "
                "them among; push fewer"
            )
        price = pl.col("price").median() if "price" in bought.columns else pl.lit(None, pl.Float64)
        return cls(
            takers["item_id"].to_numpy(),
            rng.choice(unknown.to_numpy(), poison.targets, replace=False),
            bought.group_by("item_id").agg(price.alias("price")),
            _visits(bought, poison.days),
        )

    def fillers(self, recipe: Recipe, count: int, rng: np.random.Generator) -> NDArray[np.object_]:
        """``count`` items to hide among, no target among them."""
        known = max(1, round(_HEAD * len(self.items))) if recipe == "bandwagon" else len(self.items)
        while np.isin(self.items[:known], self.targets).all():
            known += 1
        drawn = rng.permutation(self.items[:known])
        return np.resize(drawn[~np.isin(drawn, self.targets)], count)


def _visits(bought: pl.DataFrame, days: float) -> pl.Series:
    """When real visits of the last days began."""
    began = bought.group_by("session_id").agg(pl.col("timestamp").min()).sort("timestamp")
    late = pl.col("timestamp") >= pl.col("timestamp").max() - timedelta(days=days)
    return began.filter(late)["timestamp"]


def _fake(
    skeleton: pl.DataFrame,
    name: str,
    market: _Market,
    poison: Poison,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """One fake user's rows, on the visits of a real one."""
    moved = _moved(skeleton, name, market, rng)
    lines = moved.with_columns(
        pl.Series("item_id", market.fillers(poison.recipe, len(moved), rng), pl.String)
    )
    visits = moved.unique("session_id", maintain_order=True)
    sold = len(visits) if poison.recipe == "fake sales" else 1
    pushed = [
        visits[rng.choice(len(visits), sold, replace=False).tolist()].with_columns(
            pl.lit(target).alias("item_id")
        )
        for target in market.targets.tolist()
    ]
    back = {"love and hate": lines, "fake sales": pl.concat(pushed)}.get(poison.recipe)
    rows = [lines, *pushed]
    if back is not None:
        returned = pl.lit(EventKind.RETURN.value).alias("event")
        rows.append(back.with_columns(returned, pl.col("timestamp") + _BACK))
    rows_of: pl.DataFrame = pl.concat(rows)
    if "price" in rows_of.columns:
        rows_of = rows_of.drop("price").join(market.price, on="item_id", how="left")
    return rows_of


def _moved(
    skeleton: pl.DataFrame, name: str, market: _Market, rng: np.random.Generator
) -> pl.DataFrame:
    """The same visits at moments at which others came."""
    visits = skeleton["session_id"].unique(maintain_order=True)
    starts = market.visits.gather(rng.choice(len(market.visits), len(visits)))
    moments = pl.DataFrame({"session_id": visits, "start": starts}).with_columns(
        pl.format("{}-{}", pl.lit(name), pl.int_range(pl.len())).alias("visit")
    )
    first = pl.col("timestamp").min().over("session_id")
    return (
        skeleton.join(moments, on="session_id", maintain_order="left")
        .with_columns(
            (pl.col("start") + (pl.col("timestamp") - first)).alias("timestamp"),
            pl.lit(name).alias("user_id"),
            pl.col("visit").alias("session_id"),
        )
        .drop("start", "visit")
    )
