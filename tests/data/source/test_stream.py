"""A real Redis server whose puller, or which itself, is killed at any moment."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import polars as pl
import pytest

from shelfwise.data.connections import RedisStream
from shelfwise.data.source.raw import RawTable
from shelfwise.data.source.spool import SpooledStream
from shelfwise.data.source.stream import Pulled, pull
from shelfwise.schema.errors import ConfigError, DataError

from .servers import RedisServer

EVENT = {"event": "view", "user_id": "u1", "item_id": "i1", "timestamp": "2026-01-01T10:00:00Z"}
# Pulls until it is killed, as `shelfwise pull --follow` does.
PULLER = """
import sys; from pathlib import Path; from shelfwise.data.connections import RedisStream
from shelfwise.data.source.stream import pull
pull(RedisStream.model_validate_json(sys.argv[1]), Path(sys.argv[2]), follow_seconds=60)
"""


def stream_of(server: RedisServer, **options: Any) -> RedisStream:
    return RedisStream(url=server.url, **options)


def client(server: RedisServer) -> Any:
    from redis import Redis

    return Redis.from_url(server.url)


def send(server: RedisServer, first: int, count: int) -> None:
    """Events e{first}, ... in the layout "fields"."""
    with client(server) as redis:
        pipeline = redis.pipeline(transaction=False)
        for i in range(first, first + count):
            pipeline.xadd("events", EVENT | {"event_id": f"e{i}"})
        pipeline.execute()


def read(stream: RedisStream, folder: Path) -> list[RawTable]:
    return list(SpooledStream(stream, "events", folder).read())


def event_ids(stream: RedisStream, folder: Path) -> list[str]:
    """Of every entry that is read, in order; row numbers count through them."""
    tables = read(stream, folder)
    rows = [row for table in tables for row in table.row]
    assert rows == list(range(1, len(rows) + 1))
    return [event_id for table in tables for event_id in table.frame["event_id"]]


def pending(server: RedisServer) -> int:
    with client(server) as redis:
        return int(redis.xpending("events", "shelfwise")["pending"])


def test_a_drained_stream_by_hand(redis: RedisServer, tmp_path: Path) -> None:
    """7 events, 3 a file: 3 files; a second pull finds nothing, a third the one that came."""
    stream = stream_of(redis, segment_rows=3)
    send(redis, 0, 7)

    first = pull(stream, tmp_path)
    second = pull(stream, tmp_path)
    send(redis, 7, 1)
    third = pull(stream, tmp_path)

    spool = tmp_path / "spool"
    assert first == Pulled(spool, entries=7, segments=3, gone=0)
    assert second == Pulled(spool, entries=0, segments=0, gone=0)
    assert third == Pulled(spool, entries=1, segments=1, gone=0)
    assert pending(redis) == 0
    assert event_ids(stream, tmp_path) == [f"e{i}" for i in range(8)]
    table = read(stream, tmp_path)[0]
    assert table.file == "stream:events"
    assert table.frame.row(0, named=True) == EVENT | {"event_id": "e0"}


def test_both_layouts_read_alike(redis: RedisServer, tmp_path: Path) -> None:
    fields = EVENT | {"price": "12.50", "title": "红 shoe"}
    pretty = json.dumps(EVENT | {"title": "红 shoe"}, indent=1).replace("{", '{"price": 12.50,')
    with client(redis) as server:
        server.xadd("flat", fields)
        server.xadd("nested", {"event": pretty, "shard": "3"})
    flat = stream_of(redis, key="flat", spool="flat")
    nested = stream_of(redis, key="nested", spool="nested", layout="json")
    pull(flat, tmp_path)
    pull(nested, tmp_path)

    (one,), (other,) = read(flat, tmp_path), read(nested, tmp_path)

    assert one.frame.row(0, named=True) == fields
    row = other.frame.row(0, named=True)
    assert float(row.pop("price")) == 12.5
    assert row == {name: value for name, value in fields.items() if name != "price"}


def test_what_is_no_event_is_kept_and_refused_with_its_reason(
    redis: RedisServer, tmp_path: Path
) -> None:
    texts = [b'{"event": "view"}', b"[1]", b"{", b"{}", b"\xff", b'{"stream_entry_id": "1-1"}']
    with client(redis) as server:
        for text in texts:
            server.xadd("events", {"event": text})
        server.xadd("events", {"other": "x"})
    stream = stream_of(redis, layout="json")

    assert pull(stream, tmp_path).entries == 7
    (table,) = read(stream, tmp_path)

    assert table.frame.rows(named=True) == [{"event": "view"}]
    assert table.row.to_list() == [1]
    codes = [(refusal.row, refusal.reason.code) for refusal in table.refused]
    assert codes == [
        (2, "no-event"), (3, "no-event"), (4, "no-event"), (5, "invalid-utf8"), (6, "no-event"),
        (7, "no-event"),
    ]  # fmt: skip
    assert table.refused[0].text == '{"event": "[1]"}'


def test_what_others_took_and_never_acknowledged_is_taken_over(
    redis: RedisServer, tmp_path: Path
) -> None:
    send(redis, 0, 6)
    with client(redis) as server:
        server.xgroup_create("events", "shelfwise", id="0")
        server.xreadgroup("shelfwise", "dead", {"events": ">"}, count=2)
        server.xreadgroup("shelfwise", "puller", {"events": ">"}, count=2)
    patient = stream_of(redis, claim_after_seconds=3600)
    impatient = stream_of(redis, claim_after_seconds=0.001)

    assert pull(patient, tmp_path).entries == 4  # its own 2, and 2 that are new
    sleep(0.01)
    assert pull(impatient, tmp_path).entries == 2

    assert sorted(event_ids(impatient, tmp_path)) == [f"e{i}" for i in range(6)]
    assert pending(redis) == 0


def test_entries_that_are_gone_are_counted(redis: RedisServer, tmp_path: Path) -> None:
    """Two of three pending entries are trimmed away before this consumer fetches them again."""
    send(redis, 0, 3)
    with client(redis) as server:
        server.xgroup_create("events", "shelfwise", id="0")
        server.xreadgroup("shelfwise", "puller", {"events": ">"})
        server.xtrim("events", maxlen=1, approximate=False)

    pulled = pull(stream_of(redis), tmp_path)

    assert (pulled.entries, pulled.gone) == (1, 2)
    assert pending(redis) == 0


def killed_at_random(
    redis: RedisServer, folder: Path, *, kills: int, events: int, seed: int
) -> RedisStream:
    """Starts a puller, kills it while it writes, and so on; then lets one pull to the end."""
    draw = random.Random(seed)
    stream = stream_of(redis, segment_rows=5)
    send(redis, 0, events // 2)
    for kill in range(kills):
        before = len(list((folder / "spool").glob("*.jsonl")))
        puller = subprocess.Popen(
            [sys.executable, "-c", PULLER, stream.model_dump_json(), str(folder)]
        )
        until = monotonic() + 30
        while len(list((folder / "spool").glob("*.jsonl"))) == before and monotonic() < until:
            sleep(0.001)
        send(redis, events // 2 + kill * (events // 2 // kills), events // 2 // kills)
        sleep(draw.uniform(0, 0.05))
        puller.kill()
        puller.wait()
    pull(stream, folder)
    return stream


@pytest.mark.parametrize(
    ("kills", "events"), [(3, 600), pytest.param(25, 10_000, marks=pytest.mark.long)]
)
def test_a_puller_killed_at_random_loses_nothing_and_repeats_nothing(
    redis: RedisServer, tmp_path: Path, kills: int, events: int
) -> None:
    stream = killed_at_random(redis, tmp_path, kills=kills, events=events, seed=kills)

    sent = events // 2 + kills * (events // 2 // kills)
    assert sorted(event_ids(stream, tmp_path)) == sorted(f"e{i}" for i in range(sent))
    assert pending(redis) == 0
    assert not list((tmp_path / "spool").glob(".*"))


@pytest.mark.parametrize("deaths", [2, pytest.param(15, marks=pytest.mark.long)])
def test_a_server_that_dies_and_comes_back_is_waited_for(
    redis: RedisServer, tmp_path: Path, deaths: int
) -> None:
    stream = stream_of(redis, segment_rows=5)
    pulled: list[Pulled] = []
    seconds = 3.0 * deaths + 2
    puller = Thread(target=lambda: pulled.append(pull(stream, tmp_path, follow_seconds=seconds)))
    send(redis, 0, 100)
    puller.start()
    for death in range(deaths):
        sleep(0.02)
        redis.kill()
        sleep(0.2)
        redis.start()
        send(redis, 100 * (death + 1), 100)
    puller.join()

    assert pulled, "the puller has ended well"
    assert sorted(event_ids(stream, tmp_path)) == sorted(f"e{i}" for i in range(100 * (deaths + 1)))
    assert pending(redis) == 0


def test_a_stream_that_is_not_there(redis: RedisServer, tmp_path: Path) -> None:
    with client(redis) as server:
        server.set("plain", "x")

    with pytest.raises(DataError, match="no stream 'events'; correct key"):
        pull(stream_of(redis), tmp_path)
    with pytest.raises(DataError, match="'plain' is no stream"):
        pull(stream_of(redis, key="plain"), tmp_path)
    with client(redis) as server:
        assert server.keys() == [b"plain"]


def test_a_spool_that_cannot_be_written_loses_nothing(redis: RedisServer, tmp_path: Path) -> None:
    send(redis, 0, 3)
    (tmp_path / "spool").touch()

    with pytest.raises(DataError, match=r"spool cannot be written \(File exists\)"):
        pull(stream_of(redis), tmp_path)
    (tmp_path / "spool").unlink()

    assert pull(stream_of(redis), tmp_path).entries == 3


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("redis")

    with pytest.raises(DataError, match=r"unix://.*: .*start the server or correct the url"):
        pull(RedisStream(url=f"unix://{tmp_path}/none.sock"), tmp_path)


def test_a_password_comes_from_its_file_and_is_never_shown(
    redis: RedisServer, tmp_path: Path
) -> None:
    send(redis, 0, 1)
    with client(redis) as server:
        server.config_set("requirepass", "s3cret")
    right = redis.url.replace("unix://", "unix://:s3cret@")
    (tmp_path / "right").write_text(right)
    (tmp_path / "wrong").write_text(right.replace("s3cret", "s3cRET"))

    assert pull(RedisStream(url_file="right"), tmp_path).entries == 1
    with pytest.raises(DataError, match="the right user and password") as refused:
        pull(RedisStream(url_file="wrong"), tmp_path)
    assert "s3cRET" not in str(refused.value)
    with pytest.raises(DataError, match="the right user and password"):
        pull(stream_of(redis), tmp_path)


def test_redis_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis.exceptions", None)

    with pytest.raises(ConfigError, match=r"pip install 'shelfwise\[stream\]'"):
        pull(RedisStream(url="redis://127.0.0.1"), tmp_path)


def test_a_spool_that_was_never_filled(tmp_path: Path) -> None:
    (table,) = read(RedisStream(url="redis://127.0.0.1"), tmp_path)

    assert [(fault.code, fault.fatal) for fault in table.faults] == [("nothing-pulled", True)]
    assert table.frame.equals(pl.DataFrame())
