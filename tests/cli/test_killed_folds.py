"""`cross-validate` killed without warning: finished folds stay, the next call does the rest."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from .command import PROCESS, done

if TYPE_CHECKING:
    from shelfwise.data.prepared import PreparedShop


@pytest.mark.long
def test_kill_and_go_on(prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path) -> None:
    folds = tmp_path / "folds"
    settings = (
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.tuning.mode=frozen",
        "model.width=16",
        "train.epochs=1",
        "train.threads=1",
        "evaluate.draws=50",
    )
    words = (
        *("cross-validate", prepared_sample.folder, "--out", folds, "--folds", "2"),
        *(word for setting in settings for word in ("--set", setting)),
    )
    source = Path(__file__).parents[2] / "src"
    with subprocess.Popen(
        [*PROCESS, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = monotonic() + 250
        # In the middle of the second fold.
        while not any(folds.glob(".fold-02.partial-*")):
            assert process.poll() is None, "it ended too early"
            assert monotonic() < deadline, "waited in vain"
            sleep(0.01)
        process.send_signal(signal.SIGKILL)
    first = (folds / "fold-01" / "result.json").read_bytes()
    assert not (folds / "fold-02").exists()

    found = done(*words, "--json").json

    assert [fold["name"] for fold in found["folds"]] == ["fold-01", "fold-02"]
    assert (folds / "fold-01" / "result.json").read_bytes() == first
    assert sorted(path.name for path in folds.iterdir()) == ["fold-01", "fold-02", "plan.json"]
    auc = next(s for s in found["spreads"] if (s["system"], s["metric"]) == ("shelfwise", "auc"))
    assert len(auc["value_F"]) == 2
