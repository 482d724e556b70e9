"""A file's columns under Shelfwise's names and types, what could not be read beside them."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from difflib import get_close_matches

import polars as pl

from shelfwise.data.source.fault import Fault, Reason
from shelfwise.data.source.raw import RawTable
from shelfwise.data.source.times import MOMENT, from_epoch, localise, parse_times
from shelfwise.data.units import CENTS, Unit, Units
from shelfwise.schema.columns import Column, ColumnType

FILE = "file"
ROW = "row"
RAW_PREFIX = "raw:"

DTYPES: dict[ColumnType, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "time": MOMENT,
    "flag": pl.Boolean(),
}
_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


def raw_name(column: str) -> str:
    """Where the typed frame keeps what the file said in ``column``, before it was typed."""
    return f"{RAW_PREFIX}{column}"


def find_columns(
    found: Sequence[str], columns: Sequence[Column], mapping: Mapping[str, str]
) -> dict[str, str]:
    """Shelfwise's name = the file's own, for each column that the file has."""
    wanted = {column.name: mapping.get(column.name, column.name) for column in columns}
    return {name: own for name, own in wanted.items() if own in found}


def missing_column(file: str, found: Sequence[str], needed: Sequence[str], section: str) -> Fault:
    """The fault of a file that has none of the ``needed`` columns."""
    first = needed[0]
    near = [own for name in needed for own in get_close_matches(name, found, n=1)]
    guess = f"did you mean {near[0]}? " if near else ""
    own = f'"{near[0]}"' if near else '"the name in the file"'
    return Reason(
        "missing-column",
        f"the file must have the column {' or '.join(needed)}",
        f"{guess}map it in shop.toml: [{section}.columns] {first} = {own}",
    ).at_file(file, f"found columns: {', '.join(found)}", column=first, fatal=True)


def typed(
    raw: RawTable,
    columns: Sequence[Column],
    own_names: Mapping[str, str],
    zone: str,
    units: Units | None = None,
) -> pl.DataFrame:
    """All ``columns`` typed, what they were typed from, and the file's further columns.

    Text is stripped, and empty text is null. Beside each column of another type stands
    ``raw:NAME`` with the text it came from; a value that could not be read is null in the
    column and not in its raw one. A further column with a name of ours gets a free one.
    """
    frame = raw.frame
    out = {ROW: raw.row, FILE: pl.Series([raw.file]).new_from_index(0, frame.height)}
    for column in columns:
        own = own_names.get(column.name)
        if own is None:
            said, value = _nothing(frame.height), _nothing(frame.height, DTYPES[column.type])
        else:
            unit = (units or {}).get(column.name)
            said, value = _typed_column(frame[own], column.type, zone, unit)
        out[column.name] = value
        if column.type != "text":
            out[raw_name(column.name)] = said
    used = set(own_names.values())
    for own in (name for name in frame.columns if name not in used):
        out[_free_name(own, out)] = frame[own]
    return pl.DataFrame(out)


def _free_name(own: str, taken: Container[str]) -> str:
    name = own
    while name in taken or name.startswith(RAW_PREFIX):
        name = f"own_{name}"
    return name


def _nothing(height: int, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, height)


def _typed_column(
    series: pl.Series, type_: ColumnType, zone: str, unit: Unit | None
) -> tuple[pl.Series, pl.Series]:
    """What the file said, as text, and what it means; a file that types itself says nothing."""
    if unit == "cents":
        said, cents = _typed_column(series, type_, zone, None)
        # Polars would multiply by 1/100, and make 19.990000000000002 of 1999.
        money = cents.fill_null(float("nan")).to_numpy() / CENTS
        return said, pl.Series(cents.name, money, nan_to_null=True)
    ready = _typed_already(series, type_, zone, unit)
    if ready is not None:
        return _nothing(len(series)), ready
    text = as_text(series)
    match type_:
        case "text":
            return text, text
        case "number":
            value = text.cast(pl.Float64, strict=False)
            return text, value.set(~value.is_finite().fill_null(False), None)
        case "integer":
            return text, _integers(text)
        case "flag":
            return text, text.str.to_lowercase().replace_strict(
                _FLAGS, default=None, return_dtype=pl.Boolean
            )
        case "time":
            return text, parse_times(text, zone, unit)


def _typed_already(
    series: pl.Series, type_: ColumnType, zone: str, unit: Unit | None
) -> pl.Series | None:
    """The column, where its file typed it (Parquet); None where it must be read from text."""
    dtype = series.dtype
    if type_ == "flag" and dtype == pl.Boolean:
        return series
    if type_ == "number" and dtype.is_numeric():
        return series.cast(pl.Float64).fill_nan(None)
    if type_ == "integer" and dtype.is_integer():
        return series.cast(pl.Int64, strict=False)
    if type_ == "time" and dtype == pl.Date:
        return localise(series.cast(pl.Datetime("us")), zone)
    if type_ == "time" and isinstance(dtype, pl.Datetime):
        moments = series.dt.cast_time_unit("us")
        return moments.dt.convert_time_zone("UTC") if dtype.time_zone else localise(moments, zone)
    return from_epoch(series, unit) if type_ == "time" and dtype.is_float() else None


def _integers(text: pl.Series) -> pl.Series:
    whole = text.cast(pl.Int64, strict=False)
    if whole.null_count() == text.null_count():
        return whole
    number = text.cast(pl.Float64, strict=False)  # "3.0", as pandas writes beside gaps
    is_whole = ((number == number.floor()) & (number.abs() < 2**53)).fill_null(False)
    return whole.fill_null(number.set(~is_whole, None).cast(pl.Int64))


def as_text(series: pl.Series) -> pl.Series:
    """Any column as stripped text; empty is null, and what is nested becomes JSON."""
    dtype = series.dtype
    if dtype.is_float():
        return _numbers_as_text(series.fill_nan(None))
    if dtype.is_nested() or dtype == pl.Object:
        values = [_json(value) for value in series.to_list()]
        return pl.Series(series.name, values, pl.String)
    if dtype == pl.Binary:
        texts = [v if v is None else v.decode("utf-8", "replace") for v in series.to_list()]
        series = pl.Series(series.name, texts, pl.String)
    text = series.cast(pl.String, strict=False).str.strip_chars()
    return text.set(text == "", None)


def _numbers_as_text(series: pl.Series) -> pl.Series:
    """Whole numbers without a point: ids beside gaps become floats in pandas, and 12.0 was 12."""
    whole = ((series.floor() == series) & (series.abs() < 2**53)).fill_null(False)
    whole_text = series.set(~whole, None).cast(pl.Int64).cast(pl.String)
    return whole_text.zip_with(whole, series.cast(pl.String))


def as_json(rows: pl.DataFrame) -> pl.Series:
    """Each row as one JSON object, without its empty cells."""
    texts = [
        json.dumps({k: v for k, v in row.items() if v is not None}, ensure_ascii=False, default=str)
        for row in rows.iter_rows(named=True)
    ]
    return pl.Series("raw", texts, pl.String)


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
