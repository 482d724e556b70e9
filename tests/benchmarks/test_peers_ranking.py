"""Peers are asked in processes of their own; what goes wrong is one peer's matter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.peers_ranking import (
    Asked,
    PeerError,
    ask_peer,
    peer_names,
    peers_of,
    uninstalled_peers,
)
from peers import ANSWER, HEAD, MODELS, fake_peer

ASKED = Asked(seconds=7.5, seed=3, tune=True)


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "task.json").write_text(json.dumps({"targets": 2, "items": 3}))
    return folder


def test_each_model_that_the_help_names_is_asked(tmp_path: Path, task: Path) -> None:
    where = fake_peer(tmp_path, "fake", HEAD + MODELS + ANSWER)

    peers = list(peers_of("fake", *where))
    answer = ask_peer(peers[1], task, tmp_path / "out", ASKED)

    assert peer_names(where[0]) == ["fake"]
    assert [peer.name for peer in peers] == ["fake/one", "fake/two"]
    assert answer.about == {
        "system": "fake/two",
        "tuned": True,
        "settings": {"seconds": 7.5, "seed": 3},
    }
    np.testing.assert_array_equal(answer.score_TV, [[0, 1, 2], [0, 1, 2]])


def test_a_script_of_one_model_is_asked_once(tmp_path: Path, task: Path) -> None:
    (peer,) = peers_of("fake", *fake_peer(tmp_path, "fake", HEAD + ANSWER))

    about = ask_peer(peer, task, tmp_path / "out", Asked(1, 0, tune=False)).about

    assert (peer.name, about["system"], about["tuned"]) == ("fake", "fake/only", False)


def test_a_peer_that_is_not_installed_says_so(tmp_path: Path) -> None:
    where = fake_peer(tmp_path, "fake", HEAD + ANSWER, installed=False)

    with pytest.raises(PeerError, match="not installed; make it with: make peers"):
        list(peers_of("fake", *where))


def test_one_without_a_script_is_named_if_its_environment_failed(tmp_path: Path) -> None:
    scripts, environments = fake_peer(tmp_path, "fake", HEAD + ANSWER)
    (environments / "lightfm.failed").write_text("ERROR: no wheel\n")
    (environments / "fake.failed").write_text("ERROR: told by the peer itself\n")

    assert uninstalled_peers(scripts, environments) == {
        "lightfm": "did not install: ERROR: no wheel"
    }


def test_the_last_words_of_a_peer_that_failed_are_the_reason(tmp_path: Path, task: Path) -> None:
    script = HEAD + "given = parser.parse_args()\nraise ValueError('too many items')\n"
    (peer,) = peers_of("fake", *fake_peer(tmp_path, "fake", script))

    with pytest.raises(PeerError, match=r"^ValueError: too many items$"):
        ask_peer(peer, task, tmp_path / "out", ASKED)


def test_scores_of_another_shape_are_refused(tmp_path: Path, task: Path) -> None:
    script = HEAD + ANSWER.replace('told["items"]), np.float32', "5), np.float32").replace(
        'np.arange(told["items"])', "np.arange(5)"
    )
    (peer,) = peers_of("fake", *fake_peer(tmp_path, "fake", script))

    with pytest.raises(PeerError, match=r"holds float32 \(2, 5\); the task has 2 targets and 3"):
        ask_peer(peer, task, tmp_path / "out", ASKED)


def test_an_end_without_an_answer_is_no_answer(tmp_path: Path, task: Path) -> None:
    (peer,) = peers_of("fake", *fake_peer(tmp_path, "fake", HEAD + "parser.parse_args()\n"))

    with pytest.raises(PeerError, match="ended without an answer"):
        ask_peer(peer, task, tmp_path / "out", ASKED)
