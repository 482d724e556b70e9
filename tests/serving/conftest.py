"""A service over the tiny shop, asked in process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from time import monotonic, sleep

import pytest
from fastapi.testclient import TestClient

from shelfwise.serving.app import create_app
from shelfwise.serving.config import ServeOptions
from shelfwise.serving.ranks import Ranks

from .tiny_shop import TinyShop

# The service answers to no other name than this machine's own.
ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture
def shop() -> TinyShop:
    return TinyShop()


@pytest.fixture
def open_client() -> Iterator[Callable[..., TestClient]]:
    """Opens services; each is closed with the test."""
    opened: list[TestClient] = []

    def opener(load: Callable[[], Ranks], options: ServeOptions | None = None) -> TestClient:
        client = TestClient(create_app(load, options), base_url=ADDRESS)
        opened.append(client.__enter__())
        return client

    yield opener
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(shop: TinyShop, open_client: Callable[..., TestClient]) -> TestClient:
    """A service that has its ranker."""
    opened = open_client(lambda: shop)
    until(lambda: opened.get("/readyz").status_code == 200)
    return opened


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for ``holds``, which another thread makes true."""
    deadline = monotonic() + seconds
    while not holds():
        assert monotonic() < deadline, "waited in vain"
        sleep(0.01)


@pytest.fixture
def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
