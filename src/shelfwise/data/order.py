"""The one order of a log's rows, and the rows that only say again what another has said.

Rows of one owner and moment are ordered by ``sequence`` and then by what they say, a search before
what it found and a click before its purchase; never by their place in a file. So the same rows in
other files, or out of a database that keeps no order, come out alike.
"""

from __future__ import annotations

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


class Distinct(NamedTuple):
    """Rows in their order, and how many of each file repeat another."""

    rows: pl.DataFrame
    duplicates: pl.DataFrame  # file, exact, same_id, slips


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of some owners in the order of their owners, times and contents."""
    rows = rows.sort(*_NUMBERS, nulls_last=True)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in _NUMBERS)
    again = rows.select(same.fill_null(False).alias("again"))["again"]
    if not again.any():
        return rows
    # Numbers tell nearly all rows apart. Of the few that are alike in these, each takes a place
    # among its like, by everything else that it says.
    alike = again | again.shift(-1, fill_value=False)
    rest = [name for name in rows.columns if name not in (*_NUMBERS, *_NOT_SAID)]
    place = pl.int_range(len(rows), eager=True, dtype=pl.UInt32)
    among = place.filter(alike)
    sorted_among = (
        rows.filter(alike)
        .with_columns(among.alias("place"))
        .sort(*_NUMBERS, *rest, nulls_last=True, maintain_order=True)["place"]
    )
    return rows[place.scatter(among, sorted_among)]


def distinct(rows: pl.DataFrame, options: CleanOptions) -> Distinct:
    """Leave out rows that say the same as another, or have its event id, or are a slip.

    Args:
        rows: in order; numbered columns as `stage` hands them out.
        options: how soon after another a row is a slip.
    """
    said = [name for name in rows.columns if name not in _NOT_SAID]
    again = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in said)
    marked = rows.with_columns(again.fill_null(False).alias("exact"))
    exact = marked.filter("exact").select("file", pl.lit("exact").alias("why"))
    kept = marked.filter(~pl.col("exact")).drop("exact").with_row_index("place")
    same_id = _same_id(kept)
    kept = kept.join(same_id, on="place", how="anti", maintain_order="left")
    slips = _slips(kept, options)
    kept = kept.join(slips, on="place", how="anti", maintain_order="left")
    why = [exact, *(_why(found, name) for found, name in ((same_id, "event_id"), (slips, "slip")))]
    return Distinct(kept.drop("place"), pl.concat(why).group_by("file", "why").len())


def _why(found: pl.DataFrame, name: str) -> pl.DataFrame:
    return found.select("file", pl.lit(name).alias("why"))


def _same_id(rows: pl.DataFrame) -> pl.DataFrame:
    """``place, file`` of rows whose event id their owner has already."""
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
