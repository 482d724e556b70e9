from __future__ import annotations

from pathlib import Path

from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.run_files import CALIBRATION

from .command import done, shelfwise


def test_a_run_is_calibrated_anew(tiny_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    ended = done(
        "calibrate", tiny_run, "--out", out, "--set", "train.calibration.kind=platt", "--json"
    )

    assert ended.json["folder"] == str(out)
    assert ended.json["calibration"]["click"]["kinds"]["pooled"] == "platt"
    assert ended.json["calibration"] == open_sealed(out, "run").facts["calibration"]
    assert (out / CALIBRATION).is_file()
    assert "click: pooled platt" in ended.out


def test_other_options_and_its_own_folder_are_refused(tiny_run: Path, tmp_path: Path) -> None:
    ended = shelfwise("calibrate", tiny_run, "--out", tmp_path / "o", "--set", "model.width=8")
    assert (ended.code, "takes only [train]" in ended.err) == (1, True)
    ended = shelfwise("calibrate", tiny_run, "--out", tiny_run)
    assert (ended.code, "is the run itself" in ended.err) == (1, True)
    assert not (tmp_path / "o").exists()
