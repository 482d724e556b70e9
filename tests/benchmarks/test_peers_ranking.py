"""Scores as a peer wrote them: of the asked shape, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.peer_process import PeerError
from benchmarks.peers_ranking import read_scores


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "task.json").write_text(json.dumps({"targets": 2, "items": 3}))
    return folder


def test_rows_of_the_asked_targets_are_read(task: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", np.arange(6, dtype=np.float32).reshape(2, 3))

    found = read_scores(task, tmp_path)

    np.testing.assert_array_equal(found.scores(None, np.array([1])), [[3, 4, 5]])


def test_scores_of_another_shape_are_refused(task: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", np.zeros((2, 5), np.float32))

    with pytest.raises(PeerError, match=r"holds float32 \(2, 5\); the task has 2 targets and 3"):
        read_scores(task, tmp_path)


def test_no_scores_are_no_answer(task: Path, tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="ended without an answer"):
        read_scores(task, tmp_path)
