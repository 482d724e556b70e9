"""Other libraries asked to rank, each by its own interpreter, one after the other.

`make peers` makes their environments; a script is benchmarks/peers/rank_NAME.py. What a script is
given is written by `benchmarks.peer_task`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers_loading import why_missing
from shelfwise.data.targets import MatchTargets
from shelfwise.schema.errors import ShelfwiseError

_GRACE_SECONDS = 300.0  # beside its budget: imports, reading, writing scores
_HELP_SECONDS = 300.0
_MODELS = re.compile(r"--model \{([^}]*)\}")


class PeerError(ShelfwiseError):
    """A peer that is not installed, failed or came to no end; the message says which."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One model of another library."""

    script: Path
    python: Path
    model: str | None  # None: the script has only one

    @property
    def name(self) -> str:
        """As rows name it until it says so itself: ``library/model``."""
        library = self.script.stem.removeprefix("rank_")
        return f"{library}/{self.model}" if self.model else library


@dataclass(frozen=True, slots=True)
class PeerScores:
    """A peer's answer to a task."""

    about: dict[str, Any]  # peer.json
    score_TV: NDArray[np.float32]  # [T, V], read from disk as it is asked for

    def scores(self, _: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        return np.asarray(self.score_TV[rows])


def peer_names(scripts: Path) -> list[str]:
    """Libraries that a script ranks with."""
    return sorted(path.stem.removeprefix("rank_") for path in scripts.glob("rank_*.py"))


def uninstalled_peers(scripts: Path, environments: Path) -> dict[str, str]:
    """Libraries that did not install and have no script, each with the reason."""
    failed = {path.stem for path in environments.glob("*.failed")} - set(peer_names(scripts))
    return {name: str(why_missing(name, environments)) for name in sorted(failed)}


def peers_of(library: str, scripts: Path, environments: Path) -> Iterator[Peer]:
    """The models of a library, as its script's help names them.

    Raises:
        PeerError: its environment is not there, or its script does not start.
    """
    script = scripts / f"rank_{library}.py"
    if reason := why_missing(library, environments):
        raise PeerError(reason)
    python = environments / library / "bin" / "python"
    with TemporaryDirectory() as empty:
        told = _run([python, script, "--help"], Path(empty), _HELP_SECONDS)
    found = _MODELS.search(told)
    for model in found.group(1).split(",") if found else [None]:
        yield Peer(script, python, model)


@dataclass(frozen=True, slots=True)
class Asked:
    """How long and how a peer may learn."""

    seconds: float
    seed: int
    tune: bool


def ask_peer(peer: Peer, task: Path, out: Path, asked: Asked) -> PeerScores:
    """Let a peer learn and rank; its scores lie in ``out`` afterwards.

    Raises:
        PeerError: it failed, ran far beyond its seconds, or its scores are of another shape.
    """
    command: list[str | Path] = [peer.python, peer.script, "--task", task, "--out", out]
    command += ["--seconds", str(asked.seconds), "--seed", str(asked.seed)]
    command += ["--model", peer.model] if peer.model else []
    command += ["--tune"] if asked.tune else []
    out.mkdir(parents=True)
    # Some leave files where they are started.
    _run(command, out, asked.seconds * 1.5 + _GRACE_SECONDS)
    try:
        about = json.loads((out / "peer.json").read_text(encoding="utf-8"))
        score_TV = np.load(out / "scores.npy", mmap_mode="r", allow_pickle=False)
        told = json.loads((task / "task.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PeerError(f"ended without an answer: {error}") from error
    if score_TV.shape != (told["targets"], told["items"]) or score_TV.dtype != np.float32:
        raise PeerError(
            f"scores.npy holds {score_TV.dtype} {score_TV.shape}; the task has "
            f"{told['targets']} targets and {told['items']} items"
        )
    return PeerScores(about, score_TV)


def _run(command: Sequence[str | Path], folder: Path, most_seconds: float) -> str:
    """What a program prints; it and its children are ended when their time is over."""
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, told = process.communicate(timeout=most_seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise PeerError(f"not ready after {most_seconds:,.0f} seconds") from None
            raise
    if process.returncode:
        said = told.strip().splitlines() or [f"exit {process.returncode}, without a word"]
        raise PeerError(said[-1])
    return out
