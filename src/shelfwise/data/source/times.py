"""Times as shops write them, turned into moments in UTC."""

from __future__ import annotations

import polars as pl

from shelfwise.data.units import TICKS_PER_SECOND, Unit

MOMENT = pl.Datetime("us", "UTC")

_ZONE = r"(?:[Zz]|UTC|[+-]\d{2}(?::?\d{2})?)"
_CLOCK = r"[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_DATE = r"\d{4}-\d{2}-\d{2}"
_ISO = rf"^{_DATE}(?:{_CLOCK}\s?{_ZONE}?)?$"
_ISO_WITHOUT_ZONE = rf"^{_DATE}(?:{_CLOCK})?$"
_ISO_WITH_ZONE = rf"^{_DATE}{_CLOCK}\s?{_ZONE}$"
_COMPACT_DATE = r"^(\d{4})(\d{2})(\d{2})$"
_NUMBER = r"^-?\d{1,19}(?:\.\d+)?$"


def has_zone(text: pl.Expr) -> pl.Expr:
    """Whether a time says itself which zone it means."""
    return text.str.contains(_ISO_WITH_ZONE)


def lacks_zone(text: pl.Expr) -> pl.Expr:
    """Whether a time leaves its zone open; numbers since 1970 do not."""
    return text.str.contains(_ISO_WITHOUT_ZONE)


def parse_times(text: pl.Series, zone: str, unit: Unit | None = None) -> pl.Series:
    """Moments in UTC; null where the text is no time.

    Understood are ISO 8601 with or without a zone, dates with or without dashes, and
    seconds, milliseconds, microseconds or nanoseconds since 1970. A time without zone is
    one of ``zone``: the earlier where the clock shows it twice, an hour later where the
    clock leaps over it. A ``unit`` says what numbers count, dates without dashes among them.
    """
    if unit is None:
        text = text.str.replace(_COMPACT_DATE, "${1}-${2}-${3}")
    is_iso = text.str.contains(_ISO).fill_null(False)
    moments = _from_iso(text.set(~is_iso, None), zone)
    is_number = text.str.contains(_NUMBER).fill_null(False) & ~is_iso
    if not is_number.any():
        return moments
    return moments.zip_with(
        ~is_number, from_epoch(text.set(~is_number, None).cast(pl.Float64, strict=False), unit)
    )


def from_epoch(number: pl.Series, unit: Unit | None = None) -> pl.Series:
    """Moments from a number since 1970, its unit told from its magnitude where none is given.

    As seconds, 1e11 is the year 5138; as milliseconds it is 1973: no log holds both.
    """
    size, value = pl.col("n").abs(), pl.col("n")
    micros = (
        pl.when(size < 1e11)
        .then(value * 1e6)
        .when(size < 1e14)
        .then(value * 1e3)
        .when(size < 1e17)
        .then(value)
        .otherwise(value / 1e3)
    )
    if unit is not None:
        micros = value * 1e6 / TICKS_PER_SECOND[unit]
    moment = micros.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    frame = number.fill_nan(None).to_frame("n")
    return frame.select(moment.dt.replace_time_zone("UTC")).to_series()


def localise(clock: pl.Series, zone: str) -> pl.Series:
    """Moments in UTC of what the clocks of ``zone`` show."""
    if zone == "UTC":
        return clock.dt.replace_time_zone("UTC")
    here = clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    leapt = clock.is_not_null() & here.is_null()
    if leapt.any():
        later = clock.dt.offset_by("1h").dt.replace_time_zone(
            zone, ambiguous="earliest", non_existent="null"
        )
        here = here.zip_with(~leapt, later)
    return here.dt.convert_time_zone("UTC")


def _from_iso(text: pl.Series, zone: str) -> pl.Series:
    """Moments of texts that have the shape of ISO 8601; null where there is no such day."""
    t = pl.col("t")
    second = (
        pl.when(t.str.len_bytes() <= 10)
        .then(t + " 00:00:00")
        .when(t.str.slice(16, 1) == ":")
        .then(t.str.slice(0, 10) + " " + t.str.slice(11, 8))
        .otherwise(t.str.slice(0, 10) + " " + t.str.slice(11, 5) + ":00")
    )
    frame = text.to_frame("t")
    clock = frame.select(
        second.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    ).to_series()
    if text.str.contains("[.,]").any():
        clock = clock + frame.select(_fraction(t)).to_series()
    zoned = frame.select(has_zone(t).fill_null(False)).to_series()
    moments = localise(clock.set(zoned, None), zone)
    if not zoned.any():
        return moments
    shifted = (clock - frame.select(_offset(t)).to_series()).dt.replace_time_zone("UTC")
    return moments.zip_with(~zoned, shifted)


def _fraction(t: pl.Expr) -> pl.Expr:
    digits = t.str.extract(r"[.,](\d{1,9})").str.pad_end(6, "0").str.slice(0, 6)
    return pl.duration(microseconds=digits.cast(pl.Int64).fill_null(0))


def _offset(t: pl.Expr) -> pl.Expr:
    """How far the clocks of the time's own zone are ahead of UTC."""
    sign = pl.when(t.str.contains(r"-\d{2}(?::?\d{2})?$")).then(-1).otherwise(1)
    hours = t.str.extract(r"[+-](\d{2})(?::?\d{2})?$").cast(pl.Int64).fill_null(0)
    minutes = t.str.extract(r"[+-]\d{2}:?(\d{2})$").cast(pl.Int64).fill_null(0)
    return pl.duration(minutes=sign * (60 * hours + minutes))
