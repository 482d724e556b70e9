from __future__ import annotations

from pathlib import Path

import pytest
from training.stopped_training import StoppedError, StoppingAt, stop

from shelfwise.data.batches import examples_of
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import EncoderOptions, ModelOptions
from shelfwise.training.config import TrainOptions
from shelfwise.training.fit import Plan
from shelfwise.training.train import train

from .command import done, shelfwise

# The same options for the library and for the command line.
TRAIN = {"epochs": 2, "batch_requests": 256, "live_texts": 2, "threads": 1, "device": "cpu"}


def command(prepared: PreparedShop, encoder: Path, out: Path) -> list[str | Path]:
    settings = [f"model.encoder.name={encoder}", "model.width=16"]
    settings += [f"train.{name}={value}" for name, value in TRAIN.items()]
    return [
        *("train", prepared.folder, "--out", out, "--json"),
        *(word for setting in settings for word in ("--set", setting)),
    ]


def test_a_stopped_training_is_gone_on_with_and_timed(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = command(prepared_sample, tiny_encoder, out)
    model = ModelOptions(width=16, encoder=EncoderOptions(name=str(tiny_encoder)))
    # Two epochs; a check and with it a checkpoint after the first.
    options = TrainOptions.model_validate(TRAIN)
    steps = Plan.of(examples_of(prepared_sample, TRAINED), options).per_check
    with pytest.raises(StoppedError):
        train(prepared_sample, out, model, options, StoppingAt((0, steps + 1), stop))

    refused = shelfwise(*words)
    resumed = done(*words, "--resume", "--profile")

    assert refused.code == 1
    assert "go on with it by --resume, or start over by --anew" in refused.err
    assert f"going on after step {steps}" in resumed.err
    phases = {row["phase"]: row["times"] for row in resumed.json["profile"]}
    assert phases["backward"] == phases["optimiser"] == steps
    assert phases["checks"] == 1
    assert sum(row["share"] for row in resumed.json["profile"]) == pytest.approx(1, abs=0.01)
    assert "Where the time of training went" in resumed.out


def test_nothing_to_go_on_from_is_said(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    ended = done(
        *command(prepared_sample, tiny_encoder, tmp_path / "run"),
        *("--set", "train.epochs=1", "--resume"),
    )

    assert "nothing to go on from" in ended.err
    assert "profile" not in ended.json
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
