"""Does a number of the catalogue follow what items did later more closely than it honestly could?

What an item does in a period is its rate there plus chance. Nothing written before can know the
chance: even the rate itself correlates with the counts only as far as these are reliable. How
reliable they are is told by the same counts over two halves of the shoppers, drawn at random:
with correlation r between the halves, the whole has reliability 2r / (1 + r) (Spearman, Brown,
1910), and the square root of that is the most that any earlier column can reach. The same holds
once what training has seen is taken out of both sides, which finds counts over the whole log too.

Shape suffixes in this file: V = items, D = draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.part_rows import TRAINED, rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.metrics.bootstrap import Interval

_FEWEST = 50  # takes in a period
_FEWEST_ITEMS = 30
_MARGIN = 0.1
_DRAWS = 200


class Foresight(NamedTuple):
    """How well a column knew what items did in a later part."""

    column: str
    part: Part
    behaviour: str  # "taken", or a kind of match
    given: str  # what was taken out of both sides first, in words
    found: float  # correlation
    ceiling: float  # the most that anything known before can reach
    excess: Interval  # found less ceiling, over items

    @property
    def leaks(self) -> bool:
        """Whether it must have been written afterwards."""
        return self.excess.low > _MARGIN


class _Counts(NamedTuple):
    """What items did in a part: by either half of the shoppers, and what training had seen."""

    behaviour: str
    first_V: NDArray[np.float64]
    second_V: NDArray[np.float64]
    before_V: NDArray[np.float64]


def foresights(
    prepared: PreparedShop, numbers: Mapping[str, pl.Series], part: Part
) -> list[Foresight]:
    """Every number of the catalogue against every behaviour of ``part``."""
    found = []
    for counts in _counts(prepared, part):
        for name, column in numbers.items():
            values = column.cast(pl.Float64).fill_nan(None)
            if values.n_unique() < 3:
                continue
            known_V = values.is_not_null().to_numpy()
            value_V = _scaled(values.fill_null(0).to_numpy()[known_V])
            sides = _Counts(counts.behaviour, *(side[known_V] for side in counts[1:]))
            if known_V.sum() >= _FEWEST_ITEMS:
                found += [
                    _foresight(name, part, value_V, sides, given=given) for given in (False, True)
                ]
    return [one for one in found if not np.isnan(one.found)]


def _counts(prepared: PreparedShop, part: Part) -> Iterator[_Counts]:
    owner_R = prepared.requests["owner"].to_numpy()
    half_U = np.random.default_rng(0).random(len(prepared.owners)) < 0.5
    later = rows_of_parts(prepared, prepared.positives, [part])
    earlier = rows_of_parts(prepared, prepared.positives, TRAINED)
    kinds = later["kind"].cast(pl.String).unique(maintain_order=True).to_list()
    for kind in ["taken", *(kinds if len(kinds) > 1 else [])]:
        rows, past = (
            table if kind == "taken" else table.filter(pl.col("kind").cast(pl.String) == kind)
            for table in (later, earlier)
        )
        if len(rows) < _FEWEST:
            continue
        first_N = half_U[owner_R[rows["request"].to_numpy()]]
        items = len(prepared.items)
        item_N = rows["item"].to_numpy().astype(np.int64)
        yield _Counts(
            f"of {kind}" if kind != "taken" else "of matches",
            np.bincount(item_N[first_N], minlength=items).astype(np.float64),
            np.bincount(item_N[~first_N], minlength=items).astype(np.float64),
            np.bincount(past["item"].to_numpy().astype(np.int64), minlength=items).astype(float),
        )


def _scaled(value_V: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts on a scale of ratios; what may be negative by its order."""
    if (value_V >= 0).all():
        scaled: NDArray[np.float64] = np.log1p(value_V)
        return scaled
    return pl.Series(value_V).rank("average").to_numpy().astype(np.float64)


def _foresight(
    name: str, part: Part, value_V: NDArray[np.float64], counts: _Counts, *, given: bool
) -> Foresight:
    both_V = np.log1p(counts.first_V + counts.second_V)
    columns = [value_V, both_V, np.log1p(counts.first_V), np.log1p(counts.second_V)]
    before_V = np.log1p(counts.before_V) if given else np.zeros(len(value_V))
    table_4V = np.stack(columns)
    found, ceiling = _compared(table_4V, before_V)
    if np.isnan(found):
        nothing = Interval(found, found, found, 0)
        return Foresight(name, part, counts.behaviour, "", found, ceiling, nothing)
    rng = np.random.default_rng(0)
    excess_D = []
    for _ in range(_DRAWS):
        drawn = rng.integers(len(value_V), size=len(value_V))
        one, most = _compared(table_4V[:, drawn], before_V[drawn])
        excess_D.append(one - most)
    low, high = np.nanquantile(excess_D, [0.025, 0.975])
    told = ", what training had seen taken out" if given else ""
    excess = Interval(found - ceiling, float(low), float(high), len(value_V))
    return Foresight(name, part, counts.behaviour, told, found, ceiling, excess)


def _compared(table_4V: NDArray[np.float64], before_V: NDArray[np.float64]) -> tuple[float, float]:
    """Correlation of value and counts, and its ceiling by the halves' own."""
    table_4V = table_4V - table_4V.mean(axis=1, keepdims=True)
    before_V = before_V - before_V.mean()
    if (spread := float(before_V @ before_V)) > 0:
        table_4V = table_4V - np.outer(table_4V @ before_V / spread, before_V)
    length_4 = np.sqrt((table_4V**2).sum(axis=1))
    if (length_4 < 1e-9).any():
        return float("nan"), float("nan")
    value, both, first, second = table_4V / length_4[:, None]
    halves = max(0.0, float(first @ second))
    return abs(float(value @ both)), float(np.sqrt(2 * halves / (1 + halves)))
