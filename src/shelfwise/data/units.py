"""Units in which a shop's files count, where they are not Shelfwise's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from shelfwise.schema.columns import Column

Unit = Literal["cents", "s", "ms", "us", "ns"]
Units = Mapping[str, Unit]

CENTS = 100  # in one of the shop's currency
TICKS_PER_SECOND: Mapping[str, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


_MONEY = frozenset({"price", "bid", "budget"})


def units_of(columns: Sequence[Column]) -> Callable[[Units], Units]:
    """A check that each unit goes with its column: cents are money, the others are time."""
    types = {column.name: column.type for column in columns}

    def checked(units: Units) -> Units:
        wrong = [_misfit(name, unit, types) for name, unit in units.items()]
        if told := [problem for problem in wrong if problem]:
            raise ValueError("; ".join(told))
        return units

    return checked


def _misfit(name: str, unit: Unit, types: Mapping[str, str]) -> str:
    money, times = _MONEY & types.keys(), {name for name in types if types[name] == "time"}
    able = money if unit == "cents" else times
    if name in able:
        return ""
    return f"{name} cannot be in {unit}; that is for: {', '.join(sorted(able)) or 'none here'}"
