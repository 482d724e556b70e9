"""A peer's scores of all items for each request, as it wrote them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peer_process import PeerError
from shelfwise.data.targets import MatchTargets


@dataclass(frozen=True, slots=True)
class PeerScores:
    """A peer's answer to a task."""

    score_TV: NDArray[np.float32]  # [T, V], read from disk as it is asked for

    def scores(self, _: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        return np.asarray(self.score_TV[rows])


def read_scores(task: Path, out: Path) -> PeerScores:
    """scores.npy of an answer.

    Raises:
        PeerError: it is not there, or of another shape.
    """
    told = json.loads((task / "task.json").read_text(encoding="utf-8"))
    try:
        score_TV = np.load(out / "scores.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise PeerError(f"ended without an answer: {error}") from error
    if score_TV.shape != (told["targets"], told["items"]) or score_TV.dtype != np.float32:
        raise PeerError(
            f"scores.npy holds {score_TV.dtype} {score_TV.shape}; the task has "
            f"{told['targets']} targets and {told['items']} items"
        )
    return PeerScores(score_TV)
