"""Peers are asked in processes of their own; what goes wrong is one peer's matter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.peer_process import (
    Asked,
    PeerError,
    absent_peers,
    ask_peer,
    peer_names,
    peers_of,
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

    peers = list(peers_of("fake", "rank", *where))
    about = ask_peer(peers[1], task, tmp_path / "out", ASKED)

    assert peer_names(where[0], "rank") == ["fake"]
    assert [peer.name for peer in peers] == ["fake/one", "fake/two"]
    assert about == {
        "system": "fake/two",
        "tuned": True,
        "settings": {"seconds": 7.5, "seed": 3},
    }


def test_a_script_of_one_model_is_asked_once(tmp_path: Path, task: Path) -> None:
    (peer,) = peers_of("fake", "rank", *fake_peer(tmp_path, "fake", HEAD + ANSWER))

    about = ask_peer(peer, task, tmp_path / "out", Asked(1, 0, tune=False))

    assert (peer.name, about["system"], about["tuned"]) == ("fake", "fake/only", False)


def test_a_peer_that_is_not_installed_says_so(tmp_path: Path) -> None:
    where = fake_peer(tmp_path, "fake", HEAD + ANSWER, installed=False)

    with pytest.raises(PeerError, match="not installed; make it with: make peers"):
        list(peers_of("fake", "rank", *where))


def test_what_does_not_install_is_named_with_the_freshest_reason(tmp_path: Path) -> None:
    scripts, environments = fake_peer(tmp_path, "fake", HEAD + ANSWER)
    for name in ("lightfm", "old"):
        (scripts / name).mkdir()
        (scripts / name / "why_absent.txt").write_text("does not build\n")
    (environments / "lightfm.failed").write_text("ERROR: no wheel\n")
    (environments / "fake.failed").write_text("ERROR: told by the peer itself\n")

    assert absent_peers(scripts, environments) == {
        "lightfm": "did not install: ERROR: no wheel",
        "old": "does not build",
    }


def test_the_last_words_of_a_peer_that_failed_are_the_reason(tmp_path: Path, task: Path) -> None:
    script = HEAD + "given = parser.parse_args()\nraise ValueError('too many items')\n"
    (peer,) = peers_of("fake", "rank", *fake_peer(tmp_path, "fake", script))

    with pytest.raises(PeerError, match=r"^ValueError: too many items$"):
        ask_peer(peer, task, tmp_path / "out", ASKED)


def test_an_end_without_an_answer_is_no_answer(tmp_path: Path, task: Path) -> None:
    (peer,) = peers_of("fake", "rank", *fake_peer(tmp_path, "fake", HEAD + "parser.parse_args()\n"))

    with pytest.raises(PeerError, match="ended without an answer"):
        ask_peer(peer, task, tmp_path / "out", ASKED)
