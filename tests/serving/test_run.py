from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.serving.config import ServeOptions
from shelfwise.serving.ranks import Ranks
from shelfwise.serving.run import serve

from .conftest import until
from .tiny_shop import TinyShop

PROGRAM = """
import sys
from serving.tiny_shop import TinyShop
from shelfwise.serving.config import ServeOptions
from shelfwise.serving.run import serve
serve(TinyShop, ServeOptions(port=int(sys.argv[1])))
sys.exit(7)  # only a serve() that returned gets here
"""


def test_a_taken_port_is_the_users_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}.*choose another"):
            serve(TinyShop, ServeOptions(port=port))


def test_a_server_without_hope_of_a_ranker_ends() -> None:
    def load() -> Ranks:
        raise ArtifactError("run/manifest.json: missing")

    with pytest.raises(ArtifactError, match=r"manifest\.json: missing"):
        serve(load, ServeOptions(port=0))


def test_an_interrupt_ends_it_quietly(free_port: int) -> None:
    tests = Path(__file__).parents[1]
    source = tests.parent / "src"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(free_port)],
        env={"PYTHONPATH": f"{tests}:{source}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as server:
        until(lambda: _answers(free_port), seconds=30)
        server.send_signal(signal.SIGINT)
        printed, _ = server.communicate(timeout=30)

    assert (server.returncode, printed) == (7, b"")


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
