"""Requests as they are asked of a ranking that has to hold for a while: all that a shopper takes in
a period, asked at its start.

A log tells what was taken at each moment, with all that was known by then. Where one ranking has to
last for weeks, that is another question: what sold last week says less of what comes in a month.
So the past is cut into such periods too, and each shopper is asked for at the start of each.

Shape suffixes in this file: R = requests, M = positives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from shelfwise.data.batches import Examples
from shelfwise.data.part_rows import believed, taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.targets import period_targets, taken_with_owner
from shelfwise.schema.event import Surface

_SHELF = tuple(Surface).index(Surface.RECOMMENDATION)
_OFFSETS = ("shown_offset_R1", "match_offset_R1")


def period_examples(prepared: PreparedShop, parts: Sequence[Part], period: int) -> list[Examples]:
    """One request a shopper and period, of whole ``period`` microseconds back from the parts' end.

    Asked are shoppers who took something before the period and in it. Nothing was shown to them.
    Suspected fraud is left out.
    """
    taken = taken_with_owner(prepared, believed(taken_of_parts(prepared, parts)))
    start = prepared.moments.known_until(parts) - period
    found: list[Examples] = []
    while start >= prepared.moments.first:
        found.append(_of_period(prepared, taken, start, start + period))
        start -= period
    return [examples for examples in found if len(examples)]


def _of_period(prepared: PreparedShop, taken: pl.DataFrame, start: int, end: int) -> Examples:
    targets = period_targets(prepared, taken, start, end)
    inside = taken.filter((pl.col("at") >= start) & (pl.col("at") < end))
    # Named by the first request of the period, and weighed as the weightiest of each item's.
    first = inside.group_by("owner").agg(pl.col("request").min())
    owners = pl.DataFrame({"owner": targets.owner_T}).join(first, on="owner", maintain_order="left")
    pairs = pl.DataFrame(
        {"owner": targets.owner_T[targets.right_target_P], "item": targets.right_item_P}
    ).join(
        inside.group_by("owner", "item").agg(pl.col("weight").max()),
        on=["owner", "item"],
        maintain_order="left",
    )
    asked, none = len(targets), np.empty(0, np.int64)
    matches_R = np.bincount(targets.right_target_P, minlength=asked)
    nothing, nowhere = np.empty(0, np.bool_), np.empty(0, np.float32)
    return Examples(
        request_R=owners["request"].to_numpy(),
        owner_R=targets.owner_T,
        at_R=targets.at_T,
        end_R=targets.end_T,
        query_R=targets.query_T,
        surface_R=np.full(asked, _SHELF, np.int64),
        shown_offset_R1=np.zeros(asked + 1, np.int64),
        shown_item_N=none,
        position_N=none,
        clicked_N=nothing,
        purchased_N=nothing,
        known_N=nothing,
        arrived_N=nowhere,
        match_offset_R1=np.concatenate([[0], matches_R.cumsum()]),
        match_item_M=targets.right_item_P,
        weight_N=nowhere,
        weight_M=pairs["weight"].to_numpy(),
        next_kind_R=np.full(asked, -1, np.int64),
        fold_R=np.zeros(asked, np.int64),
    )


def joined(some: Sequence[Examples]) -> Examples:
    """Examples one after the other."""
    columns = {
        name: np.concatenate([getattr(one, name) for one in some])
        for name in Examples.__dataclass_fields__
        if name not in _OFFSETS
    }
    for name in _OFFSETS:
        lengths = np.concatenate([np.diff(getattr(one, name)) for one in some])
        columns[name] = np.concatenate([[0], lengths.cumsum()])
    return Examples(**columns)
