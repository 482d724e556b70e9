from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.config import DataOptions
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedPairs
from shelfwise.models.config import (
    AdaLora,
    Adapter,
    EncoderOptions,
    Lora,
    ModelOptions,
    TopLayers,
    TuningOptions,
)
from shelfwise.ranking.loaded_classifier import LoadedClassifier
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.run_files import CURVE
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

SHORT = TrainOptions(
    epochs=20, threads=1, device="cpu", learning_rate=0.01, encoder_learning_rate=0.002
)
WORDS = {"no": ["red", "shoe", "glass"], "yes": ["blue", "lamp", "wool"], "dunno": ["tea", "pen"]}


def write_pairs(folder: Path, classes: list[str]) -> Path:
    """Texts whose class is told by their words; fillers say nothing."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(150):
            name = classes[number % len(classes)]
            words = [*rng.choice(WORDS[name], 3), *rng.choice(["of", "with", "set"], 2)]
            writer.writerow([f"{' '.join(words)} {number}", name])
    return folder


def prepared_pairs(folder: Path, classes: list[str]) -> PreparedPairs:
    found = prepare(write_pairs(folder / "shop", classes), folder / "prepared", DataOptions())
    assert isinstance(found, PreparedPairs)
    return found


def options_of(encoder: Path) -> ModelOptions:
    return ModelOptions(encoder=EncoderOptions(name=str(encoder), tuning=TopLayers(layers=1)))


@pytest.mark.parametrize("classes", [["no", "yes"], ["no", "yes", "dunno"]])
def test_separable_classes_are_learned(
    tiny_encoder: Path, tmp_path: Path, classes: list[str]
) -> None:
    prepared = prepared_pairs(tmp_path, classes)

    manifest = train(prepared, tmp_path / "run", options_of(tiny_encoder), SHORT)

    model = LoadedClassifier(tmp_path / "run", open_sealed(tmp_path / "run", "run"))
    assert model.classes == sorted(classes) == list(prepared.classes)
    test = prepared.rows.filter(pl.col("part") == "test")
    p = model.probabilities(test["text"].to_list())
    assert (p.argmax(1) == test["label"].to_numpy()).mean() > 0.9
    assert p.sum(1) == pytest.approx(np.ones(len(test)))
    assert manifest.facts["tasks"] == ["classification"]
    curve = json.loads((tmp_path / "run" / CURVE).read_text(), parse_constant=pytest.fail)
    losses = [check["figures"]["log_loss"] for check in curve["checks"]]
    assert manifest.facts["validation"]["log_loss"] == pytest.approx(min(losses))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    "tuning",
    [Lora(layers=1, parts="all"), AdaLora(layers=1, parts="all"), Adapter()],
    ids=lambda tuning: str(tuning.mode),
)
def test_every_way_of_tuning_learns_and_is_read_again(
    tiny_encoder: Path, tmp_path: Path, tuning: TuningOptions
) -> None:
    prepared = prepared_pairs(tmp_path, ["no", "yes"])
    # What is added to the encoder is small and begins at 0: it wants a higher rate.
    options = SHORT.model_copy(update={"encoder_learning_rate": 0.01})
    model = options_of(tiny_encoder)
    encoder = model.encoder.model_copy(update={"tuning": tuning, "query_prefix": "ask: "})

    train(prepared, tmp_path / "run", model.model_copy(update={"encoder": encoder}), options)

    again = LoadedClassifier(tmp_path / "run", open_sealed(tmp_path / "run", "run"))
    test = prepared.rows.filter(pl.col("part") == "test")
    p = again.probabilities(test["text"].to_list())
    assert (p.argmax(1) == test["label"].to_numpy()).mean() > 0.9
    settings = json.loads(
        (tmp_path / "run" / "encoder" / "config_sentence_transformers.json").read_text()
    )
    assert settings["prompts"] == {"query": "ask: ", "document": ""}


def test_probabilities_do_not_depend_on_the_company(tiny_encoder: Path, tmp_path: Path) -> None:
    prepared = prepared_pairs(tmp_path, ["no", "yes"])
    train(
        prepared,
        tmp_path / "run",
        options_of(tiny_encoder),
        SHORT.model_copy(update={"epochs": 1}),
    )
    model = LoadedClassifier(tmp_path / "run", open_sealed(tmp_path / "run", "run"))
    texts = ["red shoe", "a very long text about a blue lamp of glass and wool", "", "tea"] * 40

    together = model.probabilities(texts)

    for place in range(4):
        alone = model.probabilities([texts[place]])[0]
        assert together[place] == pytest.approx(alone, abs=1e-5)
        assert together[place + 156] == pytest.approx(alone, abs=1e-5)
    assert model.probabilities([]).shape == (0, 2)


def test_the_same_seed_gives_the_same_bytes(tiny_encoder: Path, tmp_path: Path) -> None:
    prepared = prepared_pairs(tmp_path, ["no", "yes"])
    short = SHORT.model_copy(update={"epochs": 1})

    one, other = (
        train(prepared, tmp_path / name, options_of(tiny_encoder), short) for name in "ab"
    )

    assert one.sha256 == other.sha256


def test_the_clock_ends_it(tiny_encoder: Path, tmp_path: Path) -> None:
    prepared = prepared_pairs(tmp_path, ["no", "yes"])
    hurried = SHORT.model_copy(update={"minutes": 1e-9, "epochs": 50})

    train(prepared, tmp_path / "run", options_of(tiny_encoder), hurried)

    curve = json.loads((tmp_path / "run" / CURVE).read_text())
    assert len(curve["checks"]) == 1
