"""Tables of real SQLite and PostgreSQL databases, held against the same tables as files."""

from __future__ import annotations

import csv
import io
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from shelfwise.data.connections import SqlSource
from shelfwise.data.source.delimited import DelimitedText
from shelfwise.data.source.raw import RawTable, number_rows
from shelfwise.data.source.sql import SqlTable
from shelfwise.data.source.typed import typed
from shelfwise.schema.columns import Column
from shelfwise.schema.errors import ConfigError, DataError

from .servers import PASSWORD

COLUMNS = (
    Column("item_id", "text", ""),
    Column("price", "number", ""),
    Column("position", "integer", ""),
    Column("available", "flag", ""),
    Column("at", "time", ""),
    Column("clock", "time", ""),
    Column("day", "time", ""),
)
TYPES = "text, double precision, bigint, boolean, timestamptz, timestamp, date"
ZONE = "Europe/Berlin"


def table_of(source: SqlSource, folder: Path, chunk_rows: int = 100) -> list[RawTable]:
    return list(SqlTable(source, "events", folder, chunk_rows).read())


def sqlite_source(query: str = "SELECT * FROM t") -> SqlSource:
    return SqlSource(url="sqlite:///shop.db", query=query)


def understood(tables: Sequence[RawTable]) -> pl.DataFrame:
    """The typed columns of all chunks; the order of a database's rows means nothing."""
    names = [column.name for column in COLUMNS]
    own = dict(zip(names, names, strict=True))
    frames = [typed(raw, COLUMNS, own, ZONE).select(names) for raw in tables]
    return pl.concat(frames).sort(names)


def ddl() -> str:
    kinds = TYPES.split(", ")
    return ", ".join(f"{c.name} {kind}" for c, kind in zip(COLUMNS, kinds, strict=True))


Row = tuple[Any, ...]


def as_csv(rows: Sequence[Row]) -> list[RawTable]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows(rows)
    table, _ = DelimitedText("t.csv", ",").read(out.getvalue().encode(), final=True)
    assert table is not None
    return [table]


def as_parquet(rows: Sequence[Row]) -> list[RawTable]:
    dtypes = (
        pl.String, pl.Float64, pl.Int64, pl.Boolean, pl.Datetime("us", "UTC"), pl.Datetime("us"),
        pl.Date,
    )  # fmt: skip
    schema = {column.name: dtype for column, dtype in zip(COLUMNS, dtypes, strict=True)}
    file = io.BytesIO()
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(file)
    file.seek(0)
    frame = pl.read_parquet(file)
    return [RawTable("t.parquet", frame, number_rows(frame.height))]


def as_sqlite(rows: Sequence[Row], folder: Path) -> list[RawTable]:
    file = folder / "shop.db"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"CREATE TABLE t ({ddl()})")
        plain = [[str(v) if isinstance(v, date) else v for v in row] for row in rows]
        database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", plain)
    return table_of(sqlite_source(), folder, 3)


@pytest.fixture(scope="module")
def run(postgres_url: str) -> Iterator[Callable[..., Any]]:
    """Runs one statement on the PostgreSQL server, once for each row of values."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:

        def execute(statement: str, rows: Sequence[Row] | None = None) -> None:
            with connection.cursor() as cursor:
                if rows is None:
                    cursor.execute(statement)
                else:
                    cursor.executemany(statement, rows)

        yield execute


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
odd_rows = st.tuples(
    st.none() | texts | st.sampled_from(["007", "12.0", " a ", '"', "a,b", "NaN", "1e5", "灯"]),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
    st.none() | moments.map(lambda moment: moment.replace(tzinfo=UTC)),
    st.none() | moments,
    st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
)


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(rows=st.lists(odd_rows, min_size=1, max_size=8))
def test_one_table_reads_alike_from_everywhere(
    rows: list[Row], tmp_path: Path, run: Callable[..., Any], postgres_url: str
) -> None:
    run(f"CREATE TABLE IF NOT EXISTS t ({ddl()}); TRUNCATE t")
    run("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s, %s)", rows)
    csv_rows = understood(as_csv(rows))

    assert csv_rows.height == len(rows)
    assert_frame_equal(understood(as_parquet(rows)), csv_rows)
    assert_frame_equal(understood(as_sqlite(rows, tmp_path)), csv_rows)
    source = SqlSource(url=postgres_url, query="SELECT * FROM t")
    assert_frame_equal(understood(table_of(source, tmp_path, 3)), csv_rows)


def test_types_of_postgresql_by_hand(
    tmp_path: Path, run: Callable[..., Any], postgres_url: str
) -> None:
    query = """SELECT 12.50::numeric AS money, 1e15::float8 AS whole, 0.1::float8 AS tenth,
        '{"a": [1, "灯"]}'::jsonb AS tree, 'caf\u00e9'::text::bytea AS bytes, ARRAY[1, 2] AS list,
        '5 minutes'::interval AS wait, 'infinity'::timestamptz AS never,
        '0044-03-15 BC'::date AS ides, '2026-01-01 12:00:00.25+02'::timestamptz AS at,
        'a'::char(3) AS padded, NULL::int AS nothing, true AS yes,
        'bc0e57ea-0000-4000-8000-000000000001'::uuid AS uuid, '%'':x' AS odd;"""
    run("ALTER ROLE shop SET timezone = 'Asia/Tokyo'")  # the answer must not depend on it

    (table,) = table_of(SqlSource(url=postgres_url, query=query), tmp_path)

    assert table.frame.row(0, named=True) == {
        "money": "12.50", "whole": "1e+15", "tenth": "0.1", "tree": '{"a": [1, "灯"]}',
        "bytes": "café".encode().decode(), "list": '["1", "2"]', "wait": "PT5M",
        "never": "infinity", "ides": "0044-03-15 BC", "at": "2026-01-01 10:00:00.25+00",
        "padded": "a  ", "nothing": None, "yes": "t",
        "uuid": "bc0e57ea-0000-4000-8000-000000000001", "odd": "%':x",
    }  # fmt: skip
    assert set(table.frame.dtypes) == {pl.String}


def test_values_of_sqlite_by_hand(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE t (v)")
        values = [12, 12.0, 12.5, 1e300, "007", b"caf\xc3\xa9", None, "", 2**60]
        database.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])

    tables = table_of(sqlite_source(), tmp_path, 4)

    assert [table.row.to_list() for table in tables] == [[1, 2, 3, 4], [5, 6, 7, 8], [9]]
    assert list(chain.from_iterable(table.frame["v"] for table in tables)) == [
        "12", "12", "12.5", "1e+300", "007", "café", None, "", "1152921504606846976",
    ]  # fmt: skip


def test_bytes_that_are_no_text_cost_their_row(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE t (a, b)")
        database.execute("INSERT INTO t VALUES ('x', 1), (CAST(x'ff41' AS TEXT), 2), ('z', 3)")

    (table,) = table_of(sqlite_source(), tmp_path)

    assert table.frame.rows() == [("x", "1"), ("z", "3")]
    assert table.row.to_list() == [1, 3]
    assert [(r.row, r.reason.code, r.text) for r in table.refused] == [
        (2, "invalid-utf8", '["\ufffdA", "2"]')
    ]


def test_repeated_columns_are_told_and_the_first_is_read(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "shop.db").close()

    (table,) = table_of(sqlite_source("SELECT 1 AS a, 2 AS b, 3 AS a"), tmp_path)

    assert table.frame.rows(named=True) == [{"a": "1", "b": "2"}]
    assert [(fault.code, fault.column) for fault in table.faults] == [("repeated-column", "a")]


SQLITE_FAULTS = [
    ("SELECT * FROM missing", "no-such-table", "no such table: missing"),
    ("SELECT wrong FROM t", "no-such-table", "no such column: wrong"),
    ("SELEC * FROM t", "broken-query", 'near "SELEC": syntax error'),
    ("SELECT 1; DROP TABLE t", "broken-query", "one statement at a time"),
    ("DELETE FROM t", "broken-query", "attempt to write a readonly database"),
    ("SELECT * FROM t WHERE false", "empty-file", "a query without rows"),
]


@pytest.mark.parametrize(("query", "code", "said"), SQLITE_FAULTS)
def test_faults_of_sqlite(tmp_path: Path, query: str, code: str, said: str) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE t (a)")
        database.execute("INSERT INTO t VALUES (1)")

    (table,) = table_of(sqlite_source(query), tmp_path)

    (fault,) = table.faults
    assert (fault.file, fault.code, fault.fatal) == ("sql:events", code, True)
    assert said in fault.found
    assert "SELECT" in fault.rule or fault.fix
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        assert database.execute("SELECT * FROM t").fetchall() == [(1,)]


def test_a_database_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    (table,) = table_of(sqlite_source(), tmp_path)

    assert [fault.code for fault in table.faults] == ["no-database"]
    assert list(tmp_path.iterdir()) == []


POSTGRES_FAULTS = [
    ("SELECT * FROM missing", "no-such-table", 'relation "missing" does not exist'),
    ("SELECT wrong FROM pg_class", "no-such-table", 'column "wrong" does not exist'),
    ("SELEC 1", "broken-query", "syntax error"),
    ("SELECT 1; SELECT 2", "broken-query", ""),
    ("DROP TABLE pg_class", "broken-query", "syntax error"),
    ("SELECT 1/0", "failed-query", "division by zero"),
    ("SELECT 1 WHERE false", "empty-file", "a query without rows"),
]


@pytest.mark.parametrize(("query", "code", "said"), POSTGRES_FAULTS)
def test_faults_of_postgresql(
    tmp_path: Path, postgres_url: str, query: str, code: str, said: str
) -> None:
    (table,) = table_of(SqlSource(url=postgres_url, query=query), tmp_path)

    (fault,) = table.faults
    assert (fault.file, fault.code, fault.fatal) == ("sql:events", code, True)
    assert said in fault.found


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("host=", "host=/nowhere", "no-database"),
        ("/postgres?", "/missing?", "no-database"),
        ("shop@", "stranger@", "database-refused"),
    ],
)
def test_faults_on_the_way_to_postgresql(
    tmp_path: Path, postgres_url: str, old: str, new: str, code: str
) -> None:
    source = SqlSource(url=postgres_url.replace(old, new), query="SELECT 1")

    (table,) = table_of(source, tmp_path)

    assert [fault.code for fault in table.faults] == [code], table.faults


def test_a_password_comes_from_its_file_and_is_never_shown(
    tmp_path: Path, postgres_url: str
) -> None:
    secret = quote(PASSWORD, safe="")
    address = postgres_url.replace("shop@", f"locked:{secret}@")
    (tmp_path / "right").write_text(f"{address}\n")
    (tmp_path / "wrong").write_text(address.replace("odd", "ODD"))

    (good,) = table_of(SqlSource(url_file="right", query="SELECT current_user AS me"), tmp_path)
    (bad,) = table_of(SqlSource(url_file="wrong", query="SELECT 1"), tmp_path)

    assert good.frame.rows() == [("locked",)]
    (fault,) = bad.faults
    assert fault.code == "database-refused"
    assert "locked:***@" in fault.found
    assert "s3cret" not in repr(bad)


def test_an_answer_that_breaks_off_is_not_taken_for_the_whole(
    tmp_path: Path, run: Callable[..., Any], postgres_url: str
) -> None:
    query = "SELECT pg_backend_pid() AS pid, repeat('x', 1000) FROM generate_series(1, 100000)"
    chunks = SqlTable(SqlSource(url=postgres_url, query=query), "events", tmp_path, 100).read()

    first = next(chunks)
    run(f"SELECT pg_terminate_backend({first.frame['pid'][0]})")

    with pytest.raises(DataError, match=r"sql:events: .* broke off after \d.* rows"):
        list(chunks)


def test_rows_are_fetched_as_they_are_read(tmp_path: Path, postgres_url: str) -> None:
    """Ten billion rows: the first come at once, and giving up ends the query."""
    query = "SELECT generate_series(1, 10000000000) AS i"

    source = SqlSource(url=postgres_url, query=query)

    first = next(SqlTable(source, "events", tmp_path, 10).read())

    assert first.frame["i"].to_list() == [str(i) for i in range(1, 11)]


@pytest.mark.parametrize("package", ["sqlalchemy", "psycopg"])
def test_what_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ConfigError, match=r"pip install 'shelfwise\[sql\]'"):
        table_of(SqlSource(url="postgresql://shop@/x", query="SELECT 1"), tmp_path)


def test_a_time_with_an_offset_is_the_same_moment(tmp_path: Path) -> None:
    """12:00 at two hours ahead of UTC is 10:00 in UTC."""
    ahead = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    rows = understood(as_sqlite([("i", 1.0, 1, True, ahead, None, None)], tmp_path))

    assert rows["at"].to_list() == [datetime(2026, 1, 1, 10, tzinfo=UTC)]
