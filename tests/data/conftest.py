"""Servers that tests of sources and of preparation share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .source.servers import RedisServer, postgresql, redis_server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server
