"""Sentence-transformers in the speed contest."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers_loading import ROOT, why_missing
from benchmarks.speed_examples import SpeedExamples

_PEER = "sentence_transformers"
PEER_NAME = "sentence-transformers"


class SpeedPeer:
    """Sentence-transformers, each time in a process of its own."""

    def __init__(  # what every system of the contest is told
        self, examples: SpeedExamples, scratch: Path, encoder: str, seed: int, threads: int
    ) -> None:
        self.examples = examples
        self.task = scratch
        self.seed, self.threads = seed, threads
        self.why_not = why_missing(_PEER, ROOT / ".venv-peers")
        if self.why_not is None and encoder != "minilm":
            self.why_not = "its script begins with MiniLM"
        scratch.mkdir()

    def asked(
        self, train: NDArray[np.int64], test: NDArray[np.int64], *more: str
    ) -> dict[str, Any]:
        """Train on rows and judge others; seconds, examples, scores."""
        sides = [self.examples.texts(rows) for rows in (train, test)]
        label_N = self.examples.pairs.grade_N[train].astype(int).tolist()
        pairs = {
            "train": list(zip(*sides[0], label_N, strict=True)),
            "test": list(zip(*sides[1], strict=True)),
        }
        (self.task / "pairs.json").write_text(json.dumps(pairs), encoding="utf-8")
        threads = str(self.threads)
        command = [
            str(ROOT / ".venv-peers" / _PEER / "bin" / "python"),
            str(ROOT / "benchmarks" / "peers" / "speed_sentence_transformers.py"),
            *("--task", str(self.task), "--threads", threads),
            *("--seed", str(self.seed), *more),
        ]
        done = subprocess.run(
            command,
            env=os.environ | {"OMP_NUM_THREADS": threads},
            cwd=self.task,
            stdout=subprocess.PIPE,
            check=True,
        )
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told

    def scores(self, seconds: float) -> dict[tuple[str, str], NDArray[np.float64]]:
        """After all examples once, and after as many seconds as the usual script took."""
        if self.why_not is not None:
            return {}
        train, test = self.examples.train, self.examples.test
        limits = {
            "equal examples": (),
            "equal seconds": ("--epochs", "100", "--seconds", f"{seconds:.1f}"),
        }
        return {
            (view, PEER_NAME): np.array(self.asked(train, test, *limit)["scores"])
            for view, limit in limits.items()
        }
