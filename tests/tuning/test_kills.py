"""Workers killed in the midst of a study: no trial is lost, and none is counted twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from data.source.servers import postgresql

from shelfwise.tuning.records import Trial

from .worker import opened

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.mark.parametrize(
    "kind",
    ["postgresql", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("sqlite", "journal"))],
)
def test_a_parallel_study_that_is_killed_and_goes_on_is_whole(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = {
        "postgresql": lambda: request.getfixturevalue("server"),
        "sqlite": lambda: f"sqlite:///{tmp_path / 'study.db'}",
        "journal": lambda: "",
    }[kind]()
    # Each takes longer than it is let live, so that one is sure to be under way.
    _killed(url, tmp_path, trials=8, kills=1, seed=0, pause=3.0)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_many_kills_at_any_moment(seed: int, server: str, tmp_path: Path) -> None:
    url = server.replace("/postgres?", f"/kills{seed}?")
    _new_database(server, f"kills{seed}")
    _killed(url, tmp_path, trials=40, kills=5, seed=seed)


def _killed(  # how long, how often and where
    url: str, folder: Path, *, trials: int, kills: int, seed: int, pause: float = 0.4
) -> None:
    drawn = random.Random(seed)
    _trials(url, folder)  # begun once, as the command does before its workers
    for _ in range(kills):
        workers = [_begun(url, folder, number, trials, pause) for number in range(2)]
        _wait_until_some_run(url, folder, workers)
        time.sleep(drawn.uniform(0.0, 0.6))
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    # Those killed before they could say whose a trial is are given up after ten seconds.
    _wait_until_nameless_ones_are_old(url, folder)
    for worker in [_begun(url, folder, number, trials, 0.01) for number in range(2)]:
        assert worker.wait(timeout=120) == 0
    found = _trials(url, folder)
    counted = [trial for trial in found if trial.counts]
    assert all(trial.state == "done" for trial in counted), Counter(t.state for t in counted)
    assert len(counted) == trials
    lost = [trial for trial in found if trial.state == "lost"]
    assert lost, "nothing was under way when the workers were killed"
    for trial in lost:
        if trial.params:  # killed before it drew: then whoever comes next draws
            assert sum(one.params == trial.params for one in counted) == 1
    places = Counter(trial.params["x"] for trial in counted)
    assert set(places.values()) == {1}


def _begun(
    url: str, folder: Path, number: int, trials: int, seconds: float
) -> subprocess.Popen[bytes]:
    given = [url, str(folder), str(number), str(trials), str(seconds)]
    return subprocess.Popen([sys.executable, str(WORKER), *given])


def _wait_until_some_run(url: str, folder: Path, workers: list[subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + 60
    while not _running(_trials(url, folder)):
        assert time.monotonic() < until, "no worker began a trial"
        assert any(worker.poll() is None for worker in workers)
        time.sleep(0.05)


def _wait_until_nameless_ones_are_old(url: str, folder: Path) -> None:
    if any(not trial.params for trial in _running(_trials(url, folder))):
        time.sleep(11)


def _trials(url: str, folder: Path) -> list[Trial]:
    with closing(opened(url, folder, 9)) as study:
        return study.trials()


def _running(trials: list[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.state == "running"]


def _new_database(server: str, name: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
