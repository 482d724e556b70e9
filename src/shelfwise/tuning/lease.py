"""Who works on a trial, and whether that worker still lives.

A worker holds a lock on a file of its own, which the system lets go of at any end, kill -9
included; a trial says whose it is. Workers of other machines, whose files are not here, say every
half minute that they live.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_BEAT_SECONDS = 30.0
_SILENT_SECONDS = 180.0  # after which a worker of another machine is taken for dead
_NAMELESS_SECONDS = 10.0
WORKER, BEAT = "worker", "beat"


class Lease:
    """A worker's right to be believed alive."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = uuid.uuid4().hex
        self._folder = folder
        self._path = folder / f"{self.name}.lock"
        self._file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def close(self, *, clean: bool) -> None:
        """The worker has ended; ``clean``: it left no trial running.

        Where it did, its file stays: that nobody holds it tells that the trial is lost.
        """
        if clean:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    @contextmanager
    def kept(self, tell: Callable[[str, Any], None]) -> Iterator[None]:
        """Say whose a trial is, and again and again that its worker lives, during the block."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(_BEAT_SECONDS):
                with suppress(Exception):  # the storage is away for a moment: the next beat tells
                    tell(BEAT, time.time())

        tell(WORKER, self.name)
        tell(BEAT, time.time())
        beating = threading.Thread(target=beat, daemon=True)
        beating.start()
        try:
            yield
        finally:
            ended.set()
            beating.join()

    def is_lost(self, told: Mapping[str, Any], started: float) -> bool:
        """Whether the worker of a running trial is dead.

        Args:
            told: what the trial says of its worker.
            started: when it began, in seconds of the system's clock.
        """
        name = told.get(WORKER)
        if name == self.name:
            return False
        if name is None:  # asked for a moment ago, or killed before it could say whose it is
            return time.time() - started > _NAMELESS_SECONDS
        path = self._folder / f"{name}.lock"
        if path.is_file():
            return _is_free(path)
        return time.time() - float(told.get(BEAT, started)) > _SILENT_SECONDS


def _is_free(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False  # it has just ended, and leaves nothing running
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True
