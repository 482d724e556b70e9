"""What the cells of a column look like, whatever its name says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from shelfwise.data.source.times import has_zone, lacks_zone
from shelfwise.data.source.typed import as_text

TimeForm = Literal["zoned", "clock", "s", "ms", "us", "ns", "unreadable"]

_REMEMBERED = 20_000  # different values, for joins
_MOST = 0.95  # of the cells, from which on a column is what they are
# Seconds since 1970 of 1995 and of 2100: no log is older or younger.
_FIRST, _LAST = 788_918_400, 4_102_444_800
_TICKS: tuple[tuple[TimeForm, int], ...] = (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_LOCAL_TIME = r"^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(\s+\d{1,2}:\d{2}.*)?$"
_ADDRESS = r"^(\d{1,3}\.){3}\d{1,3}$|^[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}$"


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of the sample."""

    name: str
    rows: int
    filled: int
    distinct: int
    time: TimeForm | None  # how it writes times, if it holds any
    is_number: bool
    is_whole: bool
    is_flag: bool
    is_address: bool
    length: float  # letters of the filled cells, on average
    common: tuple[tuple[str, int], ...]  # most frequent values with their counts
    values: frozenset[str]  # different ones, as many as are remembered

    @property
    def unique(self) -> bool:
        """Whether each row has its own value, but for a few slips."""
        return self.filled == self.rows and self.distinct >= 0.95 * self.rows

    @property
    def described(self) -> str:
        """The sample in a few words."""
        if self.filled == 0:
            return "no value in the sample"
        empty = "" if self.filled == self.rows else f", {1 - self.filled / self.rows:.0%} empty"
        return f"{self.distinct:,} different values in {self.rows:,} rows{empty}"


def profile(series: pl.Series) -> ColumnProfile:
    """Look at every cell of a column of the sample."""
    text = as_text(series).alias("t")
    filled = text.drop_nulls()
    counts = filled.value_counts(sort=True, name="n").sort("n", "t", descending=[True, False])
    number = _share(filled, _NUMBER)
    return ColumnProfile(
        name=series.name,
        rows=len(text),
        filled=len(filled),
        distinct=counts.height,
        time=_time_form(series.dtype, filled),
        is_number=number >= _MOST,
        is_whole=_share(filled, r"^[+-]?\d+$") >= _MOST,
        is_flag=_share(filled, r"^(?i:true|false|yes|no|[tfyn01])$") >= _MOST,
        is_address=_share(filled, _ADDRESS) >= _MOST,
        length=float(filled.str.len_chars().mean() or 0.0),  # type: ignore[arg-type]  # a number
        common=tuple(counts.head(60).iter_rows()),
        values=frozenset(counts["t"].head(_REMEMBERED)),
    )


def _share(filled: pl.Series, pattern: str) -> float:
    return float(filled.str.contains(pattern).mean() or 0.0)  # type: ignore[arg-type]  # a number


def _time_form(dtype: pl.DataType, filled: pl.Series) -> TimeForm | None:
    if isinstance(dtype, pl.Datetime):
        return "zoned" if dtype.time_zone else "clock"
    if dtype == pl.Date:
        return "clock"
    if len(filled) == 0:
        return None
    frame = filled.to_frame()
    zoned, clock = frame.select(
        has_zone(pl.col("t")).mean().alias("zoned"), lacks_zone(pl.col("t")).mean().alias("clock")
    ).row(0)
    if zoned + clock >= _MOST:
        return "zoned" if zoned >= clock else "clock"
    if _share(filled, _LOCAL_TIME) >= _MOST:
        return "unreadable"
    return _epoch_form(filled) if _share(filled, r"^\d{9,19}(\.\d+)?$") >= _MOST else None


def _epoch_form(filled: pl.Series) -> TimeForm | None:
    number = filled.cast(pl.Float64, strict=False).drop_nulls()
    for form, ticks in _TICKS:
        if number.is_between(_FIRST * ticks, _LAST * ticks).mean() == 1.0:
            return form
    return None
