"""A trained run behind a real server, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from cli.command import PROCESS, done

if TYPE_CHECKING:
    from typing import Any


@dataclass
class Served:
    url: str
    log: list[str] = field(default_factory=list)  # stderr, once it has ended


@contextmanager
def served(run: Path) -> Iterator[Served]:
    """`shelfwise serve RUN`, once it can rank; Ctrl-C ends it."""
    source = Path(__file__).parents[2] / "src"
    with subprocess.Popen(
        [*PROCESS, "serve", str(run), "--port", "0", "--json"],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            service = Served(json.loads(process.stdout.readline())["url"])
            _wait_for(f"{service.url}/readyz")
            yield service
        finally:
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
    service.log = told.splitlines()
    assert process.returncode == 0, told


def _wait_for(url: str) -> None:
    deadline = monotonic() + 60
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except URLError:
            assert monotonic() < deadline, "waited in vain"
            sleep(0.05)


def post(url: str, body: dict[str, Any]) -> Any:
    """What the service answers."""
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="session")
def walked(sample_shop: Path, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands made of the sample shop: prepared and run."""
    folder = tmp_path_factory.mktemp("walk")
    done("prepare", sample_shop, "--out", folder / "prepared")
    settings = (
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.keep_layers=1",
        "model.encoder.tuning.layers=1",
        "model.width=32",
        "train.epochs=2",
        "train.threads=1",
    )
    words = [word for setting in settings for word in ("--set", setting)]
    done("train", folder / "prepared", "--out", folder / "run", *words)
    return folder


@pytest.fixture(scope="session")
def address(walked: Path) -> Iterator[str]:
    """Where the walked run is served."""
    with served(walked / "run") as service:
        yield service.url
