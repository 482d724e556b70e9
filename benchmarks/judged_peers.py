"""Judged pairs as other libraries grade them: a task of texts, and their answers.

`benchmarks/peers/graded_pairs.py` reads it. Shape suffixes: N = judged rows, A = rows answered, of
validation and then of the test.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from benchmarks.judged import Fold, Judged
from benchmarks.kept import Arrays
from benchmarks.peer_process import PeerError
from shelfwise.schema.manifest import file_digests, fingerprint_of

SCORES = "scores"


def write_judged(judged: Judged, fold: Fold, folder: Path) -> Path:
    """Graded rows of training and validation; of the test's, only the texts."""
    folder.mkdir()
    grade_N = judged.rows["grade"].to_numpy()[fold.train]
    told = {
        "name": "relevance",
        "lowest": float(grade_N.min()),
        "highest": float(grade_N.max()),
    }
    (folder / "task.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for part, rows in (("train", fold.train), ("validation", fold.validation)):
        judged.rows[rows].select("query", "title", "grade").write_parquet(
            folder / f"{part}.parquet"
        )
    judged.rows[fold.test].select("query", "title").write_parquet(folder / "test.parquet")
    return folder


def digest_of(task: Path, judged: Judged, fold: Fold) -> str:
    """Of the task and of the test's grades, which it does not hold."""
    grades = hashlib.sha256(judged.rows["grade"].to_numpy()[fold.test].tobytes()).hexdigest()
    return fingerprint_of(file_digests(task), grades)


def read_scores(out: Path, rows: int) -> Arrays:
    """scores.npy of an answer.

    Raises:
        PeerError: it is not there, of another shape, or holds what is no number.
    """
    try:
        score_A = np.load(out / "scores.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise PeerError(f"ended without an answer: {error}") from error
    if score_A.shape != (rows,) or score_A.dtype != np.float32:
        raise PeerError(
            f"scores.npy holds {score_A.dtype} {score_A.shape}; validation and test have {rows} "
            "rows together"
        )
    if not np.isfinite(score_A).all():
        raise PeerError("scores.npy holds what is no number")
    return {SCORES: score_A}
