"""More processes that work at one study."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def helped_by(
    commands: Sequence[Sequence[str]], folder: Path, threads: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run commands beside the block, and wait for them at its end.

    An interrupt is passed on to them; whatever else ends the block ends them. What they print lies
    in ``folder``.

    Args:
        commands: a worker's each.
        folder: for their words.
        threads: CPU threads of each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    surroundings = os.environ | {"OMP_NUM_THREADS": str(threads)}
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number, command in enumerate(commands, start=1):
            with (folder / f"worker-{number}.txt").open("ab") as words:
                started.append(
                    subprocess.Popen(
                        list(command),
                        stdout=words,
                        stderr=words,
                        env=surroundings,
                        start_new_session=True,  # a terminal's Ctrl-C comes from here, once
                    )
                )
        yield started
        for process in started:
            process.wait()
    except KeyboardInterrupt:
        for process in started:
            process.send_signal(signal.SIGINT)
        for process in started:
            process.wait()
        raise
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def orphaned(parent: int) -> bool:
    """Whether the process that began this worker has ended."""
    return os.getppid() != parent
