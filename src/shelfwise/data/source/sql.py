"""A table that a database holds, read in chunks, every value as the text that a file would have.

Polars would tell the type of each batch from its first rows, so a column's type would depend
on where batches break; and one date out of Python's range would stop the whole query. So the
database is asked for text (SQLite's own values are written by one rule each), and what
becomes of it is decided where that is decided for every file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from shelfwise.data.connections import SQL_SCHEMES, SqlSource, masked, read_address, without_secret
from shelfwise.data.source.fault import Fault, Reason, shorten
from shelfwise.data.source.raw import EMPTY, NOT_UTF8, RawTable, Refusal, no_rows
from shelfwise.schema.errors import ConfigError, DataError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.exc import DBAPIError

CHUNK_ROWS = 100_000

_UNREACHABLE = Reason(
    "no-database",
    "the database must answer",
    "start it, or correct the url under `sql` in shop.toml",
)
_REFUSED = Reason(
    "database-refused",
    "the database must let the user in",
    "correct user and password: the url in shop.toml, its url_file, or libpq's own ~/.pgpass",
)
_NO_TABLE = Reason(
    "no-such-table",
    "the query names tables and columns that there are",
    "correct the query under `sql` in shop.toml",
)
_SYNTAX = Reason(
    "broken-query", "the query is one SELECT", "correct the query under `sql` in shop.toml"
)
_FAILED = Reason(
    "failed-query", "the query must be answered", "correct the query, or ask who keeps the database"
)
_REPEATED = Reason(
    "repeated-column",
    "column names are unique",
    "name the later one with AS; the first was read",
)
_BY_STATE: Sequence[tuple[str, Reason]] = (  # how an SQLSTATE begins; the first that fits
    ("28", _REFUSED),
    ("42P01", _NO_TABLE),
    ("42703", _NO_TABLE),
    ("42601", _SYNTAX),
    ("25006", _SYNTAX),
    ("3D000", _UNREACHABLE),
    ("08", _UNREACHABLE),
    ("57P", _UNREACHABLE),
)
_BY_WORDS: Sequence[tuple[str, Reason]] = (  # of SQLite, and of a connection that failed
    ("no such table", _NO_TABLE),
    ("no such column", _NO_TABLE),
    ("syntax error", _SYNTAX),
    ("incomplete input", _SYNTAX),
    ("one statement", _SYNTAX),
    ("readonly", _SYNTAX),
    ("not a database", _UNREACHABLE),
    ("unable to open", _UNREACHABLE),
    ("authentication failed", _REFUSED),
    ("no password supplied", _REFUSED),
    ("role ", _REFUSED),
)
_TEXT_SESSION = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'iso_8601'",
    "SET extra_float_digits = 1",
)


@dataclass(frozen=True, slots=True)
class SqlTable:
    """The source of a table that a database holds.

    Rows come in no order that means anything; their numbers say the order in which they came.
    """

    source: SqlSource
    section: str  # of shop.toml
    folder: Path  # the shop's; a path that does not begin at the root begins there
    chunk_rows: int = CHUNK_ROWS

    @property
    def name(self) -> str:
        return f"sql:{self.section}"

    @property
    def fixed_columns(self) -> bool:
        return True

    def read(self) -> Iterator[RawTable]:
        """What the database answers, ``chunk_rows`` at a time; it is opened to be read only.

        What is wrong with the query or the way to the database is a fault of the one table that
        then comes, without rows.

        Raises:
            ConfigError: SQLAlchemy or the driver is not installed, or the url cannot be read.
            DataError: the answer broke off after rows had come.
        """
        url = read_address(self.source, SQL_SCHEMES, self.folder)
        engine = _sqlite(url, self.folder) if url.startswith("sqlite:") else _postgresql(url)
        if isinstance(engine, Path):
            found = f"no file {engine} ({masked(url)})"
            yield no_rows(self.name, _UNREACHABLE.at_file(self.name, found, fatal=True))
            return
        yield from _answers(engine, self.source.query, self.name, url, self.chunk_rows)


def _answers(
    engine: Engine, query: str, name: str, url: str, chunk_rows: int
) -> Iterator[RawTable]:
    from sqlalchemy.exc import DBAPIError

    count = 0
    try:
        with engine.connect() as connection:
            streaming = connection.execution_options(
                stream_results=True, yield_per=chunk_rows, no_parameters=True
            )
            with streaming.exec_driver_sql(query.strip().rstrip(";")) as result:
                if not result.returns_rows:
                    found = f"a statement without rows: {shorten(query)}"
                    yield no_rows(name, _SYNTAX.at_file(name, found, fatal=True))
                    return
                names = list(result.keys())
                for rows in result.partitions(chunk_rows):
                    yield _table(name, names, rows, count)
                    count += len(rows)
    except DBAPIError as error:
        if count:
            raise DataError(
                f"{name}: {masked(url)} broke off after {count:,} rows: {_said(error, url)}; "
                "nothing is kept of it, so start again"
            ) from error
        yield no_rows(name, _fault(error, name, url))
        return
    finally:
        engine.dispose()
    if count == 0:
        yield no_rows(name, EMPTY.at_file(name, "a query without rows", fatal=True))


def _table(name: str, names: list[str], rows: Sequence[Sequence[Any]], before: int) -> RawTable:
    """Rows as text; a row with bytes that are no text is refused."""
    row = pl.int_range(before + 1, before + len(rows) + 1, dtype=pl.Int64, eager=True)
    first_of = {own: place for place, own in reversed(list(enumerate(names)))}
    faults: tuple[Fault, ...] = ()
    if before == 0:
        twice = sorted({own for own in names if names.count(own) > 1})
        faults = tuple(_REPEATED.at_file(name, own, column=own) for own in twice)
    cells = {own: _texts([values[place] for values in rows]) for own, place in first_of.items()}
    ordered = {own: cells[own] for own in dict.fromkeys(names)}
    damaged = {
        place
        for texts in ordered.values()
        for place, text in enumerate(texts)
        if text is not None and not text.isascii() and not _is_unicode(text)
    }
    if not damaged:
        return RawTable(name, _frame(ordered), row, faults=faults)
    good = [place for place in range(len(rows)) if place not in damaged]
    refused = tuple(
        Refusal(before + place + 1, NOT_UTF8, _shown([t[place] for t in ordered.values()]))
        for place in sorted(damaged)
    )
    kept = {own: [texts[place] for place in good] for own, texts in ordered.items()}
    return RawTable(name, _frame(kept), row.gather(good), refused, faults)


def _frame(cells: dict[str, list[str | None]]) -> pl.DataFrame:
    return pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))


def _texts(values: list[Any]) -> list[str | None]:
    if set(map(type, values)) <= {str, type(None)}:
        return values
    return [_text(value) for value in values]


def _text(value: Any) -> str | None:
    """A value as a CSV file would have it; the same for a value wherever it stands."""
    match value:
        case None | str():
            return value
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))  # ids beside gaps become floats in pandas: 12.0 was 12
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=_text)
        case _:
            return str(value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(texts: list[str | None]) -> str:
    row = json.dumps(texts, ensure_ascii=False)
    return row.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _sqlite(url: str, folder: Path) -> Engine | Path:
    """An engine that can only read; the path alone, where no file lies there."""
    try:
        import sqlalchemy
    except ImportError as error:
        raise _missing("SQLAlchemy") from error
    path = folder / (sqlalchemy.make_url(url).database or "")
    if not path.is_file():
        return path

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        return connection

    return sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=sqlalchemy.NullPool)


def _postgresql(url: str) -> Engine:
    try:
        import psycopg
        import sqlalchemy
        from psycopg.types.string import TextLoader
    except ImportError as error:
        raise _missing("SQLAlchemy and psycopg") from error

    def answer_in_text(connection: psycopg.Connection[Any], _record: object) -> None:
        for info in psycopg.adapters.types:
            if info.name != "bytea":
                connection.adapters.register_loader(info.oid, TextLoader)
        for statement in _TEXT_SESSION:
            connection.execute(statement)
        connection.commit()
        connection.read_only = True

    address = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
    wait = {} if "connect_timeout" in address.query else {"connect_timeout": 10}
    engine = sqlalchemy.create_engine(
        address, poolclass=sqlalchemy.NullPool, use_native_hstore=False, connect_args=wait
    )
    sqlalchemy.event.listen(engine, "connect", answer_in_text)
    return engine


def _missing(what: str) -> ConfigError:
    return ConfigError(
        f"reading a database needs {what}; install with: pip install 'shelfwise[sql]'"
    )


def _fault(error: DBAPIError, name: str, url: str) -> Fault:
    said, state = _said(error, url), getattr(error.orig, "sqlstate", None) or ""
    by_state = [reason for start, reason in _BY_STATE if state.startswith(start)]
    by_words = [] if state else [reason for words, reason in _BY_WORDS if words in said]
    unknown = _FAILED if state or url.startswith("sqlite:") else _UNREACHABLE
    reason = next(iter(by_state + by_words), unknown)  # without a state, nobody answered
    fault = reason.at_file(name, said, fatal=True)
    return replace(fault, found=f"{fault.found} ({masked(url)})")


def _said(error: DBAPIError, url: str) -> str:
    """The first line of what the database, or the way to it, said."""
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return without_secret(lines[0], url).rpartition(" failed: ")[2]
