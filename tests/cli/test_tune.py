"""`shelfwise tune` and `shelfwise lr-range`, as a person or a program meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from shelfwise.config import load_config
from shelfwise.data.prepared import PreparedShop

from .command import PROCESS, done, shelfwise


@pytest.fixture(scope="module")
def fast(tiny_encoder: Path) -> list[str]:
    settings = [
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.tuning.mode=frozen",
        "model.width=64",
        "train.epochs=1",
        "train.batch_requests=256",
        "train.device=cpu",
        "evaluate.draws=50",
        'tune.search=["train.learning_rate", "model.id_dropout"]',
    ]
    return [word for setting in settings for word in ("--set", setting)]


def test_the_space_is_shown_and_can_be_read_by_a_program(
    prepared_sample: PreparedShop, fast: list[str]
) -> None:
    shown = done("tune", prepared_sample.folder, "--show-space", *fast, "--json")
    assert [axis["name"] for axis in shown.json["searched"]] == [
        "model.id_dropout",
        "train.learning_rate",
    ]
    assert "train.adversary.radius@fgm" in shown.json["others"]
    assert "0.0002 to 0.01, in powers" in shown.out
    # What lies outside its range is shown as it is, as long as it is not searched.
    outside = ("--set", "train.ema=0.97")
    usual = done("tune", prepared_sample.folder, "--show-space", *outside, "--json")
    assert "train.ema" in usual.json["others"]
    assert len(usual.json["searched"]) == 11  # a shop with impressions


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a folder by --out, and say --trials or --minutes or both"),
        (["--set", "tune.search=['train.rate']"], "train.rate: no option that can be searched"),
        (["--set", "tune.folds=3", "--set", "tune.shares=[0.5, 1]"], "choose one"),
        (["--set", "tune.at_most={latency = 20}"], "latency is no cost; there are seconds"),
        (
            ["--set", "tune.space={'train.adversary.kind' = ['none', 'fmg']}"],
            "may draw what the options do not take",
        ),
        (["--out", "x", "--trials", "1", "--storage", "mysql://u:pw@h/d"], "expected sqlite"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    words: list[str], told: str, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    words = [str(tmp_path / word) if word == "x" else word for word in words]
    ended = shelfwise("tune", prepared_sample.folder, *words)
    assert ended.code == 1
    assert told in ended.err
    assert "pw" not in ended.err


def test_a_search_leaves_a_setting_that_can_be_used(
    prepared_sample: PreparedShop, fast: list[str], tmp_path: Path
) -> None:
    study, page = tmp_path / "study", tmp_path / "tune.html"
    asked = ("--trials", "2", "--no-test", "--html", page, "--json")
    ended = done("tune", prepared_sample.folder, "--out", study, *fast, *asked)
    assert ended.json["benchmark"] == "tune"
    chosen = next(t for t in ended.json["trials"] if t["number"] == ended.json["chosen"])
    config = load_config(study)
    assert config.train.learning_rate == chosen["params"]["train.learning_rate"]
    assert config.model.id_dropout == chosen["params"]["model.id_dropout"]
    assert config.model.width == 64  # what was set beside it stays
    assert "Each option" in page.read_text()
    assert not (study / "test.json").exists()


def test_a_rate_to_begin_with(prepared_sample: PreparedShop, fast: list[str]) -> None:
    settings = fast[: fast.index("evaluate.draws=50") - 1]  # what follows it trains nothing
    ended = done("lr-range", prepared_sample.folder, "--steps", "20", *settings, "--json")
    assert 1e-5 < ended.json["suggested"] < 1.0
    assert f"train.learning_rate={ended.json['suggested']:g}" in ended.out


@pytest.mark.long
def test_workers_of_a_command_share_its_study_and_a_kill_loses_nothing(
    prepared_sample: PreparedShop, fast: list[str], tmp_path: Path
) -> None:
    study = tmp_path / "study"
    asked = ["tune", prepared_sample.folder, "--out", study, "--no-test", "--workers", "2", *fast]
    command = [*PROCESS, *map(str, asked), "--trials", "6", "--json"]
    # Killed with its helper, in the midst of a trial.
    begun = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    until = time.monotonic() + 120
    while not list((study / "under-way").glob("trial-*")):
        assert time.monotonic() < until
        time.sleep(0.1)
    helpers = _children(begun.pid)
    os.kill(begun.pid, signal.SIGKILL)
    for helper in helpers:
        os.kill(helper, signal.SIGKILL)
    begun.communicate()
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    counted = [trial for trial in told["trials"] if trial["state"] in ("done", "pruned", "failed")]
    assert len(counted) == 6
    assert sum(trial["state"] == "lost" for trial in told["trials"]) >= 1
    places = {
        (t["params"]["train.learning_rate"], t["params"]["model.id_dropout"]) for t in counted
    }
    assert len(places) == 6


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found]
