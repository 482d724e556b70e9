"""Declared columns as their types; and what to say where no file has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import NamedTuple

import polars as pl

from shelfwise.data.features.options import OWN, FeatureOptions, FeatureType, FeatureTypes, Table
from shelfwise.data.source.typed import RAW_PREFIX, as_text
from shelfwise.schema.errors import DataError

DTYPES: Mapping[FeatureType, pl.DataType] = {
    "number": pl.Float64(),
    "category": pl.String(),
    "text": pl.String(),
}


class Readable(NamedTuple):
    """How many values of a column of numbers were given, and how many of them are none."""

    given: int = 0
    unreadable: int = 0

    def and_more(self, more: Readable) -> Readable:
        """Of two parts of a column together."""
        return Readable(self.given + more.given, self.unreadable + more.unreadable)


def typed_feature(column: pl.Series, kind: FeatureType) -> pl.Series:
    """Stripped text or, of a number, what can be read as one; everything else is null."""
    text = as_text(column)
    if kind != "number":
        return text
    number = text.cast(pl.Float64, strict=False)
    return number.set(~number.is_finite().fill_null(False), None)


def typed_features(rows: pl.DataFrame, types: FeatureTypes) -> list[pl.Series]:
    """The declared columns; null throughout where ``rows`` have none of that name."""
    return [
        typed_feature(rows[name], kind).alias(name)
        if name in rows.columns
        else pl.Series(name, [None], dtype=DTYPES[kind]).new_from_index(0, rows.height)
        for name, kind in types.items()
    ]


def readable_numbers(rows: pl.DataFrame, types: FeatureTypes) -> dict[str, Readable]:
    """Of the declared columns of numbers that ``rows`` have, how many values are none."""
    found = {}
    for name, kind in types.items():
        if kind == "number" and name in rows.columns:
            given = rows.height - as_text(rows[name]).null_count()
            read = rows.height - typed_feature(rows[name], kind).null_count()
            found[name] = Readable(given, given - read)
    return found


def types_of(options: FeatureOptions, table: Table) -> FeatureTypes:
    """The declared columns of a table."""
    return {"events": options.events, "users": options.users, "items": options.items}[table]


class Source(NamedTuple):
    """What the files of a table have of declared columns."""

    table: Table
    columns: Collection[str]  # further ones of any of its files; empty where there is no file
    readable: Mapping[str, Readable]

    @classmethod
    def of_log(cls, columns: Collection[str], readable: Mapping[str, Readable]) -> Source:
        """Of a log that was read part by part."""
        return cls("events", _further("events", columns), readable)

    @classmethod
    def of(cls, table: Table, rows: pl.DataFrame | None, options: FeatureOptions) -> Source:
        """Of a table that fits in memory; None: the shop has none."""
        if rows is None:
            return cls(table, (), {})
        readable = readable_numbers(rows, types_of(options, table))
        return cls(table, _further(table, rows.columns), readable)


def _further(table: Table, columns: Collection[str]) -> list[str]:
    return [name for name in columns if name not in OWN[table] and not name.startswith(RAW_PREFIX)]


def not_numbers(sources: Collection[Source]) -> dict[str, int]:
    """Of declared numbers, by "table.column": values that are none, and are taken as missing."""
    return {
        f"{source.table}.{name}": readable.unreadable
        for source in sources
        for name, readable in sorted(source.readable.items())
        if readable.unreadable
    }


def refuse_unfound(sources: Collection[Source], options: FeatureOptions) -> None:
    """Raise one DataError naming every declared column that no file has, or has no number in."""
    problems = []
    for source in sources:
        for name in types_of(options, source.table):
            readable = source.readable.get(name, Readable())
            if name not in source.columns:
                problems.append(f"  {source.table}.{name}: {_not_there(name, source.columns)}")
            elif readable.given and readable.given == readable.unreadable:
                problems.append(
                    f"  {source.table}.{name}: declared a number, and none of its "
                    f'{readable.given:,} values is one; declare it "category" or "text"'
                )
    if problems:
        raise DataError("\n".join(["[features] in shop.toml:", *problems]))


def _not_there(name: str, columns: Collection[str]) -> str:
    near = get_close_matches(name, columns, n=1)
    if near:
        return f"no file has such a column; did you mean {near[0]}?"
    found = ", ".join(sorted(columns)) or "none, for there is no such file"
    return f"no file has such a column; found {found}"
