"""`shelfwise pull`, as a person or a program meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from data.source.servers import RedisServer, redis_server

from .command import done, shelfwise


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def test_pulled_events_are_checked_like_a_file(redis: RedisServer, tmp_path: Path) -> None:
    from redis import Redis

    (tmp_path / "shop.toml").write_text(f'[events.stream]\nurl = "{redis.url}"\n')
    with Redis.from_url(redis.url) as server:
        for item in ("i1", "i2", "i3"):
            row = {"event": "view", "user_id": "u1", "item_id": item, "timestamp": "2026-01-01"}
            server.xadd("events", row)

    before = shelfwise("check", tmp_path, "--json")
    pulled = done("pull", tmp_path, "--json").json
    after = done("check", tmp_path, "--json").json

    assert before.code == 1
    assert [fault["examples"][0]["code"] for fault in before.json["faults"]] == ["nothing-pulled"]
    assert pulled == {"spool": str(tmp_path / "spool"), "entries": 3, "files": 1, "gone": 0}
    assert after["files"] == [
        {"file": "stream:events", "rows_in": 3, "kept": 3, "rejected": 0, "duplicates": 0}
    ]


def test_a_shop_without_a_stream_cannot_be_pulled(tmp_path: Path) -> None:
    ended = shelfwise("pull", tmp_path, "--json")

    assert ended.code == 1
    assert "name one in shop.toml under [events.stream]" in ended.json["error"]
