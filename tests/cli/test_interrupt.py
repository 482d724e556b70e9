"""Ctrl-C in the middle of work: what stood there before still stands, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from .command import PROCESS, done, shelfwise

if TYPE_CHECKING:
    from shelfwise.data.prepared import PreparedShop

MESSAGE = (
    "interrupted: no half-written output is left behind, but for the checkpoints that "
    "`train --resume` goes on from\n"
)


def interrupted(folder: Path, *words: str | Path) -> tuple[int, str]:
    """Start a command, press Ctrl-C once its unfinished output is seen, and let it end."""
    source = Path(__file__).parents[2] / "src"
    with subprocess.Popen(
        [*PROCESS, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _until(lambda: any(folder.glob(".*.partial-*")) or process.poll() is not None)
        sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    return process.returncode, err


def _until(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not holds():
        assert monotonic() < deadline, "waited in vain"
        sleep(0.005)


def test_ctrl_c_while_training(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    settings = [f"model.encoder.name={tiny_encoder}", "train.epochs=100000", "train.patience=9999"]

    code, err = interrupted(
        tmp_path, "train", prepared_sample.folder, "--out", tmp_path / "run",
        *(word for setting in settings for word in ("--set", setting)),
    )  # fmt: skip

    assert (code, err) == (130, MESSAGE)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_preparing(tmp_path: Path) -> None:
    shop, out = tmp_path / "shop", tmp_path / "prepared"
    shop.mkdir()
    header = "event,user_id,item_id,timestamp\n"
    few = "".join(f"view,u{n % 9},i{n % 7},{1_700_000_000 + n * 3600}\n" for n in range(300))
    (shop / "events.csv").write_text(header + few)
    done("prepare", shop, "--out", out)
    before = (out / "manifest.json").read_bytes()
    many = "".join(f"view,u{n % 999},i{n % 77},{1_700_000_000 + n * 9}\n" for n in range(400_000))
    (shop / "events.csv").write_text(header + many)

    code, err = interrupted(tmp_path, "prepare", shop, "--out", out)

    assert (code, err) == (130, MESSAGE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared", "shop"]
    assert (out / "manifest.json").read_bytes() == before


def test_ctrl_c_while_a_file_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)

    assert shelfwise("init", tmp_path).code == 130
    assert list(tmp_path.iterdir()) == []
