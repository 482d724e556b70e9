from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from data.small_log import event, prepared_shop, random_events
from safetensors.torch import save_file

from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.models.config import (
    AdaLora,
    Frozen,
    Full,
    ModelOptions,
    TuningOptions,
)
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import Manifest
from shelfwise.training.checkpoint import resuming_folder
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.manner import unfinished_step
from shelfwise.training.train import train

from . import stopped_training
from .small_network import options_of
from .stopped_training import StoppedError, StoppingAt, Where, stop

OFTEN = TrainOptions(
    epochs=3,
    batch_requests=4,
    live_texts=4,
    refresh_steps=3,
    checkpoint_minutes=1e-9,  # whenever the table of text vectors was computed anew
    threads=1,
    device="cpu",
)
RESUME = Course(unfinished="resume")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    """Forty requests, of which about 24 are trained on: six steps an epoch."""
    rows = random_events(5, impressions=True)
    rows += [event("click", "u1", 70, "i8"), event("click", "u1", 90, "i9")]
    return prepared_shop(tmp_path_factory.mktemp("resume"), rows)


def stopped(
    shop: PreparedShop, out: Path, model: ModelOptions, options: TrainOptions, where: Where
) -> None:
    with pytest.raises(StoppedError):
        train(shop, out, model, options, StoppingAt(where, stop), RESUME)
    assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "tuning"),
    [
        ({}, None),
        ({"ema": 0.9, "accumulate": 2}, None),
        pytest.param(
            {"optimizer": "adafactor", "loader_workers": 2}, Full(), marks=pytest.mark.long
        ),
        ({"layer_decay": 0.5}, Full()),
        pytest.param({}, Frozen(), marks=pytest.mark.long),
        pytest.param({"epochs": 4}, AdaLora(first_rank=3, rank=1), marks=pytest.mark.long),
    ],
    ids=["plain", "mean weights", "adafactor", "full", "frozen", "adalora"],
)
def test_a_stopped_training_ends_as_an_undisturbed_one(
    changes: dict[str, Any],
    tuning: TuningOptions | None,
    shop: PreparedShop,
    tiny_encoder: Path,
    tmp_path: Path,
) -> None:
    options = OFTEN.model_copy(update=changes)
    model = options_of(tiny_encoder, tuning) if tuning else options_of(tiny_encoder)
    undisturbed = train(shop, tmp_path / "undisturbed", model, options)

    # The table is new after steps 3, 6, 9, ...: step 5 and 8 lie between checkpoints.
    stopped(shop, tmp_path / "run", model, options, (0, 5))
    first = unfinished_step(tmp_path / "run")
    stopped(shop, tmp_path / "run", model, options, (0, 8))
    resumed = train(shop, tmp_path / "run", model, options, course=RESUME)

    assert first is not None
    assert 3 <= first <= 5
    assert resumed.sha256 == undisturbed.sha256
    assert resumed.facts["best_step"] == undisturbed.facts["best_step"]
    assert resumed.facts["resumed_at_step"]["fit"] >= first
    assert "resumed_at_step" not in undisturbed.facts
    assert not resuming_folder(tmp_path / "run").exists()


def test_a_refit_is_resumed_without_another_fit(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = OFTEN.model_copy(update={"refit": True, "epochs": 1, "ema": 0.9})
    model = options_of(tiny_encoder)
    undisturbed = train(shop, tmp_path / "undisturbed", model, options)

    stopped(shop, tmp_path / "run", model, options, (1, 4))
    # The fit is over: the only bar is that of the refit.
    stopped(shop, tmp_path / "run", model, options, (0, 5))
    resumed = train(shop, tmp_path / "run", model, options, course=RESUME)

    assert resumed.sha256 == undisturbed.sha256
    assert resumed.facts["resumed_at_step"] == {"fit": undisturbed.facts["steps"], "refit": 3}


def killed_and_resumed(
    shop: PreparedShop, out: Path, model: ModelOptions, options: TrainOptions, kills: list[Where]
) -> Manifest:
    script = [sys.executable, "-m", "training.stopped_training"]
    told = [str(shop.folder), str(out), model.model_dump_json(), options.model_dump_json()]
    for bar, step in kills:
        tests = Path(stopped_training.__file__).parents[1]
        ended = subprocess.run(
            [*script, *told, str(bar), str(step)], cwd=tests, capture_output=True, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    return train(shop, out, model, options, course=RESUME)


def test_kill_9_changes_nothing(shop: PreparedShop, tiny_encoder: Path, tmp_path: Path) -> None:
    model = options_of(tiny_encoder)
    undisturbed = train(shop, tmp_path / "undisturbed", model, OFTEN)

    resumed = killed_and_resumed(shop, tmp_path / "run", model, OFTEN, [(0, 8)])

    assert resumed.sha256 == undisturbed.sha256
    assert resumed.facts["resumed_at_step"] == {"fit": 6}


@pytest.mark.long
def test_many_kills_change_nothing(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = OFTEN.model_copy(
        update={"batch_requests": 64, "refit": True, "ema": 0.99, "accumulate": 2, "epochs": 4}
    )
    model = options_of(tiny_encoder)
    undisturbed = train(prepared_sample, tmp_path / "undisturbed", model, options)
    kills = [(0, 2), (0, 7), (0, 13), (1, 3), (0, 7)]

    resumed = killed_and_resumed(prepared_sample, tmp_path / "run", model, options, kills)

    assert resumed.sha256 == undisturbed.sha256


def test_what_lies_there_is_not_lost_without_a_word(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    out, model = tmp_path / "run", options_of(tiny_encoder)
    stopped(shop, out, model, OFTEN, (0, 5))

    with pytest.raises(ConfigError, match=r"run\.training: holds .* step 3; .*--resume.*--anew"):
        train(shop, out, model, OFTEN)
    assert unfinished_step(out) == 3
    other = OFTEN.model_copy(update={"clip": 0.5, "epochs": 2, "minutes": 1.0})
    wider = model.model_copy(update={"width": 32})
    with pytest.raises(ConfigError) as refused:
        train(shop, out, wider, other, course=RESUME)
    # Minutes say when to stop, not what a step does: they may be others.
    assert str(refused.value).splitlines()[1:] == [
        "  model.width: 16 then, 32 now",
        "  train.clip: 1.0 then, 0.5 now",
        "  train.epochs: 3 then, 2 now",
    ]

    anew = train(shop, out, model, OFTEN, course=Course(unfinished="anew"))

    assert "resumed_at_step" not in anew.facts
    assert unfinished_step(out) is None


def test_a_file_that_is_no_checkpoint_is_named(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    path = resuming_folder(tmp_path / "run") / "fit.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"nonsense")

    with pytest.raises(ArtifactError, match=r"fit\.safetensors: not a checkpoint .* delete it"):
        train(shop, tmp_path / "run", options_of(tiny_encoder), OFTEN, course=RESUME)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(ArtifactError, match=r"fit\.safetensors: not a checkpoint"):
        train(shop, tmp_path / "run", options_of(tiny_encoder), OFTEN, course=RESUME)


def test_no_checkpoints_where_none_are_wanted(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = OFTEN.model_copy(update={"checkpoint_minutes": 0.0})

    stopped(shop, tmp_path / "run", options_of(tiny_encoder), options, (0, 8))

    assert list(tmp_path.iterdir()) == []


def test_what_a_table_of_pairs_cannot_do_is_said_at_once(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    pairs = PreparedPairs(
        folder=tmp_path,
        options=shop.options,
        manifest=shop.manifest,
        rows=pl.DataFrame(),
        classes=("a", "b"),
    )
    options = OFTEN.model_copy(update={"ema": 0.5})
    course = Course(unfinished="resume", profile=True)

    with pytest.raises(ConfigError, match=r"--resume, --profile, train\.ema is .* leave it out"):
        train(pairs, tmp_path / "run", options_of(tiny_encoder), options, course=course)
