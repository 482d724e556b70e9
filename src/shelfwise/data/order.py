"""The one order of a log's rows, and the rows that only say again what another has said.

Rows of one owner and moment are ordered by ``sequence`` and then by what they say, a search before
what it found and a click before its purchase; never by their place in a file. So the same rows in
other files, or out of a database that keeps no order, come out alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from shelfwise.data.config import CleanOptions
from shelfwise.schema.event import EventKind

_NUMBERS = ("owner", "at", "sequence", "event", "item", "query", "position")
_NOT_SAID = ("file", "row")
_SLIPS = (
    EventKind.SEARCH,
    EventKind.VIEW,
    EventKind.CLICK,
    EventKind.FAVOURITE,
    EventKind.CART,
)
_SECOND = 1_000_000
_ROOM = 2**62  # different values of a key


class Distinct(NamedTuple):
    """Rows in their order, and how many of each file repeat another."""

    rows: pl.DataFrame
    duplicates: pl.DataFrame  # file, exact, same_id, slips


def _ordered(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Rows in order, and where several in a row are alike in all their numbers."""
    keys = packed_keys(rows, _NUMBERS)
    place = keys.select(pl.arg_sort_by(keys.columns))
    rows, keys = rows[place.to_series()], keys[place.to_series()]
    again = keys.select(
        pl.all_horizontal(pl.all() == pl.all().shift(1)).fill_null(False).alias("again")
    )["again"]
    if not again.any():
        return rows, again
    # Numbers tell nearly all rows apart. Of the few that are alike in these, each takes a place
    # among its like, by everything else that it says.
    alike = again | again.shift(-1, fill_value=False)
    rest = [name for name in rows.columns if name not in (*_NUMBERS, *_NOT_SAID)]
    among = pl.int_range(len(rows), eager=True, dtype=pl.UInt32).filter(alike)
    sorted_among = (
        rows.filter(alike)
        .with_columns(among.alias("place"))
        .sort(*_NUMBERS, *rest, nulls_last=True, maintain_order=True)["place"]
    )
    return rows[
        pl.int_range(len(rows), eager=True, dtype=pl.UInt32).scatter(among, sorted_among)
    ], alike


def packed_keys(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Columns of whole numbers, nulls last, in as few 64-bit keys as sort alike.

    Sorting by two keys is several times faster than by seven columns with nulls.
    """
    numbers = rows.select(pl.col(name).to_physical().cast(pl.Int64) for name in columns)
    keys: list[pl.Expr] = []
    room = 0
    for name in columns:
        low, high = numbers[name].min(), numbers[name].max()
        low, high = (low, high) if isinstance(low, int) and isinstance(high, int) else (0, -1)
        size, place = high - low + 2, pl.col(name) - low
        if size > _ROOM:  # a column that fills its 64 bits
            size, place = rows.height + 2, pl.col(name).rank("dense").cast(pl.Int64)
        place = place.fill_null(size - 1)
        if keys and size * room < _ROOM:
            keys[-1], room = keys[-1] * size + place, room * size
        else:
            keys.append(place)
            room = size
    return numbers.select(key.alias(f"{number}") for number, key in enumerate(keys))


def distinct(rows: pl.DataFrame, options: CleanOptions) -> Distinct:
    """Put rows in order, without those that say the same as another, or have its event id, or are
    a slip.

    Args:
        rows: numbered columns as `stage` hands them out, in any order.
        options: how soon after another a row is a slip.
    """
    rows, alike = _ordered(rows)
    kept = rows.with_row_index("place")
    exact, same_id = _exact(kept, alike), _same_id(kept)
    kept = _without(kept, exact)
    same_id = same_id.join(exact, on="place", how="anti")
    kept = _without(kept, same_id)
    slips = _slips(kept, options)
    kept = _without(kept, slips)
    why = (
        _why(found, name)
        for found, name in ((exact, "exact"), (same_id, "event_id"), (slips, "slip"))
    )
    return Distinct(kept.drop("place"), pl.concat(why).group_by("file", "why").len())


def _without(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    if found.is_empty():
        return rows
    return rows.join(found, on="place", how="anti", maintain_order="left")


def _exact(rows: pl.DataFrame, alike: pl.Series) -> pl.DataFrame:
    """``place, file`` of rows that say what the one before says; only rows alike in all numbers
    are looked at."""
    some = rows.filter(alike)
    said = [name for name in some.columns if name not in (*_NOT_SAID, "place")]
    return some.filter(~pl.struct(said).is_first_distinct()).select("place", "file")


def _why(found: pl.DataFrame, name: str) -> pl.DataFrame:
    return found.select("file", pl.lit(name).alias("why"))


def _same_id(rows: pl.DataFrame) -> pl.DataFrame:
    """``place, file`` of rows whose event id their owner has already."""
    if rows["event_id"].null_count() == rows.height:
        return rows.head(0).select("place", "file")
    named = rows.filter(pl.col("event_id").is_not_null())
    later = ~pl.struct("owner", "event_id").is_first_distinct()
    return named.filter(later).select("place", "file")


def _slips(rows: pl.DataFrame, options: CleanOptions) -> pl.DataFrame:
    """``place, file`` of clicks, searches and the like made twice by one movement of the hand."""
    window = int(options.double_click_seconds * _SECOND)
    nothing = rows.head(0).select("place", "file")
    if window == 0:
        return nothing
    same = ["owner", "event", "item", "query", "request_id"]
    light = rows.filter(
        pl.col("event").is_in([kind.value for kind in _SLIPS]) & pl.col("sequence").is_null()
    ).select(*same, "at", "place", "file")
    if light.is_empty():
        return nothing
    light = light.sort(*same, "at", "place", nulls_last=True)
    alike = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in same)
    soon = (pl.col("at") - pl.col("at").shift(1)) < window
    return light.filter(alike & soon).select("place", "file")
