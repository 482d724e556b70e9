"""The stage as a part of training: what a run remembers of it, and that off changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from data.small_log import write_table

from shelfwise.data.config import DataOptions
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.models.config import EncoderOptions, ModelOptions, TopLayers
from shelfwise.models.weights import load_tensors
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import Manifest, open_sealed
from shelfwise.schema.run_files import TABLES
from shelfwise.training.adaptation.options import Adaptation, NoAdaptation
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.train import train

ON = Adaptation(steps=12, check_steps=6, batch_pairs=16)
# Nothing learns in the tasks, so that what the run holds of texts is what adaptation left.
STILL = TrainOptions(
    epochs=1, device="cpu", threads=1, learning_rate=1e-9, encoder_learning_rate=1e-3
)


def model_of(encoder: Path, **options: object) -> ModelOptions:
    named = EncoderOptions(name=str(encoder), tuning=TopLayers(layers=1))
    return ModelOptions(width=32, encoder=named.model_copy(update=options))


def run_of(
    prepared: PreparedShop, encoder: Path, out: Path, course: Course | None = None, **more: object
) -> Manifest:
    options = STILL.model_copy(update=more)
    return train(prepared, out, model_of(encoder), options, course=course)


def test_the_tasks_begin_with_the_adapted_encoder(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    manifest = run_of(prepared_sample, tiny_encoder, tmp_path / "run", Course(adaptation=ON))

    told = manifest.facts["adaptation"]
    assert (told["kind"], told["kept"], told["steps"]) == ("on", True, 12)
    assert told["options"] == ON.model_dump(mode="json")
    assert set(told["pairs"]) == {"query", "together", "title"}
    assert open_sealed(tmp_path / "run", "run").facts["adaptation"] == told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    # What lies below the layers that the tasks teach was adapted, and stayed so.
    plain = load_tensors(tiny_encoder / "model.safetensors")
    after = load_tensors(tmp_path / "run" / "encoder" / "model.safetensors")
    lower = [name for name in plain if ".layer.0." in name]
    assert lower
    assert any(not torch.equal(plain[name], after[name]) for name in lower)
    # The run answers with the encoder that it holds.
    table = load_tensors(tmp_path / "run" / TABLES)["item_text_VH"]
    title = prepared_sample.items["text"][0]
    answered = open_run(tmp_path / "run").encode_queries([title])
    torch.testing.assert_close(answered.vector_QH[0], table[0], atol=0.02, rtol=0)


def test_off_is_as_if_there_were_none(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    off = run_of(prepared_sample, tiny_encoder, tmp_path / "off", Course(adaptation=NoAdaptation()))
    unsaid = run_of(prepared_sample, tiny_encoder, tmp_path / "unsaid")

    assert off.facts["adaptation"] == {"kind": "off"}
    assert off.sha256 == unsaid.sha256


def test_a_table_of_pairs_has_nothing_to_adapt_to(tiny_encoder: Path, tmp_path: Path) -> None:
    words = [(word, n) for n in range(60) for word in ("red", "blue")]
    rows = [{"text": f"{word} shoe {n}", "label": word} for word, n in words]
    write_table(tmp_path / "shop", "pairs", rows)
    prepared = prepare(tmp_path / "shop", tmp_path / "prepared", DataOptions())
    assert isinstance(prepared, PreparedPairs)

    with pytest.raises(ConfigError, match=r"adaptation\.kind=on"):
        train(
            prepared,
            tmp_path / "run",
            model_of(tiny_encoder),
            STILL,
            course=Course(adaptation=ON),
        )
