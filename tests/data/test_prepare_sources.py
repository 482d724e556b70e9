"""The same shop from files, from databases and from a stream: the same prepared bytes."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest

from shelfwise.config import load_config
from shelfwise.data.connections import RedisStream
from shelfwise.data.prepare import prepare
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop
from shelfwise.data.source.stream import pull
from shelfwise.schema.manifest import file_digests

from .source.servers import PASSWORD, RedisServer

TABLES = ("catalogue.csv", "campaigns.csv", "judgements.csv", "events.parquet")
PULLER = """
import sys; from pathlib import Path; from shelfwise.data.connections import RedisStream
from shelfwise.data.source.stream import pull
pull(RedisStream.model_validate_json(sys.argv[1]), Path(sys.argv[2]), follow_seconds=60)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample shop as it is written: CSV and Parquet."""
    shop = tmp_path_factory.mktemp("files") / "shop"
    write_sample_shop(shop, SampleOptions(users=60, items=300, days=20))
    return shop


@pytest.fixture(scope="module")
def expected(files: Path) -> dict[str, str]:
    """Digests of everything that is prepared from the files."""
    return prepared(files)


def prepared(shop: Path) -> dict[str, str]:
    out = shop.with_name(f"{shop.name}-prepared")
    prepare(shop, out, load_config(shop))
    digests = file_digests(out)
    assert pl.read_parquet(out / "rejects.parquet").height == 0
    return digests


def table_of(files: Path, name: str) -> pl.DataFrame:
    path = files / name
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    return pl.read_csv(path, infer_schema=False)


def shop_beside(files: Path, folder: Path, sections: str) -> Path:
    """A shop of the same options whose tables come from elsewhere."""
    folder.mkdir()
    text = (files / "shop.toml").read_text()
    assert "[events]" in text
    (folder / "shop.toml").write_text(f"{text}\n{sections}")
    return folder


def sql_sections(address: str, order: str) -> str:
    names = [name.partition(".")[0] for name in TABLES]
    return "\n".join(
        f'[{name}.sql]\n{address}\nquery = "SELECT * FROM {name} ORDER BY {order}"\n'
        for name in names
    )


def test_from_postgresql(
    files: Path, expected: dict[str, str], postgres_url: str, tmp_path: Path
) -> None:
    """Rows come in an order drawn anew for each query, for a user whose password nobody sees."""
    import psycopg

    types: dict[Any, str] = {
        pl.String: "text", pl.Float64: "double precision", pl.Int64: "bigint",
        pl.Boolean: "boolean", pl.Datetime: "timestamptz",
    }  # fmt: skip
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in TABLES:
            frame, table = table_of(files, name), name.partition(".")[0]
            columns = ", ".join(
                f'"{own}" {types.get(dtype.base_type(), "bigint")}'
                for own, dtype in frame.schema.items()
            )
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({columns})")
            with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy:
                copy.write(frame.write_csv(include_header=False))
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO locked")
    secret = quote(PASSWORD, safe="")
    sections = sql_sections('url_file = "../database.url"', "random()")
    shop = shop_beside(files, tmp_path / "shop", sections)
    (tmp_path / "database.url").write_text(postgres_url.replace("shop@", f"locked:{secret}@"))

    assert prepared(shop) == expected
    written = b"".join(path.read_bytes() for path in (tmp_path / "shop-prepared").rglob("*.*"))
    assert PASSWORD.encode() not in written
    assert secret.encode() not in written


def test_from_sqlite(files: Path, expected: dict[str, str], tmp_path: Path) -> None:
    shop = shop_beside(
        files, tmp_path / "shop", sql_sections('url = "sqlite:///shop.db"', "random()")
    )
    with closing(sqlite3.connect(shop / "shop.db")) as database, database:
        for name in TABLES:
            frame, table = table_of(files, name), name.partition(".")[0]
            plain = frame.with_columns(pl.selectors.temporal().cast(pl.String))
            database.execute(f"CREATE TABLE {table} ({', '.join(plain.columns)})")
            marks = ", ".join("?" * plain.width)
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", plain.rows())

    assert prepared(shop) == expected


@pytest.mark.parametrize("layout", ["fields", "json"])
def test_from_a_stream_whose_puller_and_server_are_killed(
    files: Path, expected: dict[str, str], redis: RedisServer, tmp_path: Path, layout: str
) -> None:
    import json

    from redis import Redis

    stream = RedisStream(url=redis.url, layout=layout, segment_rows=50)  # type: ignore[arg-type]
    section = f'[events.stream]\nurl = "{redis.url}"\nlayout = "{layout}"\nsegment_rows = 50\n'
    shop = shop_beside(files, tmp_path / "shop", section)
    for name in TABLES[:-1]:
        (shop / name).write_bytes((files / name).read_bytes())
    events = table_of(files, "events.parquet").with_columns(pl.selectors.temporal().cast(pl.String))
    rows = [{k: v for k, v in row.items() if v is not None} for row in events.iter_rows(named=True)]
    with Redis.from_url(redis.url) as client:
        pipeline = client.pipeline(transaction=False)
        for row in rows:
            pipeline.xadd("events", {"event": json.dumps(row)} if layout == "json" else row)
        pipeline.execute()

    draw = random.Random(0)
    for kill_server in (False, True):
        puller = subprocess.Popen(
            [sys.executable, "-c", PULLER, stream.model_dump_json(), str(shop)]
        )
        before, until = len(list(shop.glob("spool/*.jsonl"))), monotonic() + 30
        while len(list(shop.glob("spool/*.jsonl"))) == before and monotonic() < until:
            sleep(0.001)
        sleep(draw.uniform(0, 0.05))
        if kill_server:
            redis.kill()
            redis.start()
        puller.kill()
        puller.wait()
    pull(stream, shop)

    assert prepared(shop) == expected
