"""Other libraries asked for an answer, each by its own interpreter, one after the other.

`make peers` makes their environments; a script is benchmarks/peers/rank_NAME.py, forecast_NAME.py
or grade_NAME.py. The folder that it is given is written by `benchmarks.peer_task`,
`benchmarks.cart_peers` or `benchmarks.judged_peers`.
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
from typing import Any, Literal

from benchmarks.peers_loading import why_missing
from shelfwise.schema.errors import ShelfwiseError

_GRACE_SECONDS = 300.0  # beside its budget: imports, reading, writing scores
_HELP_SECONDS = 300.0
_MODELS = re.compile(r"--model \{([^}]*)\}")
_WHY_ABSENT = "why_absent.txt"

Verb = Literal["rank", "forecast", "grade"]


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
        library = self.script.stem.partition("_")[2]
        return f"{library}/{self.model}" if self.model else library


@dataclass(frozen=True, slots=True)
class Asked:
    """How long and how a peer may learn."""

    seconds: float
    seed: int
    tune: bool


def peer_names(scripts: Path, verb: Verb) -> list[str]:
    """Libraries that a script ranks, forecasts or grades with."""
    return sorted(path.stem.partition("_")[2] for path in scripts.glob(f"{verb}_*.py"))


def absent_peers(scripts: Path, environments: Path) -> dict[str, str]:
    """Libraries that do not install, each with the reason.

    It is this machine's where `make peers` tried, else the one that was written down.
    """
    found = {}
    for written in sorted(scripts.glob(f"*/{_WHY_ABSENT}")):
        name = written.parent.name
        tried = (environments / f"{name}.failed").is_file()
        reason = str(why_missing(name, environments)) if tried else written.read_text().strip()
        found[name] = reason
    return found


def peers_of(library: str, verb: Verb, scripts: Path, environments: Path) -> Iterator[Peer]:
    """The models of a library, as its script's help names them.

    Raises:
        PeerError: its environment is not there, or its script does not start.
    """
    script = scripts / f"{verb}_{library}.py"
    if reason := why_missing(library, environments):
        raise PeerError(reason)
    python = environments / library / "bin" / "python"
    with TemporaryDirectory() as empty:
        told = _run([python, script, "--help"], Path(empty), _HELP_SECONDS)
    found = _MODELS.search(told)
    for model in found.group(1).split(",") if found else [None]:
        yield Peer(script, python, model)


def ask_peer(peer: Peer, task: Path, out: Path, asked: Asked) -> dict[str, Any]:
    """Let a peer learn and answer; returns peer.json, and its answer lies in ``out`` beside it.

    Raises:
        PeerError: it failed, or ran far beyond its seconds.
    """
    command: list[str | Path] = [peer.python, peer.script, "--task", task, "--out", out]
    command += ["--seconds", str(asked.seconds), "--seed", str(asked.seed)]
    command += ["--model", peer.model] if peer.model else []
    command += ["--tune"] if asked.tune else []
    out.mkdir(parents=True)
    # Some leave files where they are started.
    _run(command, out, asked.seconds * 1.5 + _GRACE_SECONDS)
    try:
        about: dict[str, Any] = json.loads((out / "peer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PeerError(f"ended without an answer: {error}") from error
    return about


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
