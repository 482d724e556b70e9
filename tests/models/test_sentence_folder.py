from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from shelfwise.models.config import Adapter, EncoderOptions, Frozen, Lora, TopLayers
from shelfwise.models.sentence_folder import read_linear
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.models.weights import ENCODER, save_encoder
from shelfwise.schema.errors import ConfigError

from .test_text_encoder import TEXTS, tokens_of
from .test_tuning_modes import learned, named

PROMPTS = {"query": "query: ", "document": "passage: "}


def trained(folder: Path, out: Path, options: EncoderOptions) -> TextEncoder:
    """An encoder that has learned, saved to ``out``."""
    encoder = load_text_encoder(folder, options).eval()
    if options.tuning != Frozen():
        learned(encoder, folder)
    save_encoder(encoder, folder, out, PROMPTS)
    return encoder


def listed(folder: Path) -> list[tuple[str, str]]:
    modules = json.loads((folder / "modules.json").read_text())
    assert [module["idx"] for module in modules] == list(range(len(modules)))
    return [(module["path"], module["type"].rpartition(".")[2]) for module in modules]


def test_what_stands_in_the_folder(tiny_encoder: Path, tmp_path: Path) -> None:
    trained(tiny_encoder, tmp_path, EncoderOptions(tuning=TopLayers(layers=1)))

    folder = tmp_path / ENCODER
    assert listed(folder) == [
        ("", "Transformer"),
        ("1_Pooling", "Pooling"),
        ("2_Normalize", "Normalize"),
    ]
    pooling = json.loads((folder / "1_Pooling" / "config.json").read_text())
    assert pooling == {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    assert settings["prompts"] == PROMPTS
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        assert (folder / name).is_file()
    assert read_linear(folder) is None


def test_a_projection_stands_in_a_folder_of_its_own(tiny_encoder: Path, tmp_path: Path) -> None:
    encoder = trained(
        tiny_encoder, tmp_path, EncoderOptions(tuning=TopLayers(layers=1), projection=5)
    )

    folder = tmp_path / ENCODER
    assert [kind for _, kind in listed(folder)] == ["Transformer", "Pooling", "Dense", "Normalize"]
    dense = json.loads((folder / "2_Dense" / "config.json").read_text())
    assert (dense["in_features"], dense["out_features"], dense["bias"]) == (32, 5, False)
    assert dense["activation_function"] == "torch.nn.modules.linear.Identity"
    assert encoder.projection is not None
    weight = load_file(folder / "2_Dense" / "model.safetensors")["linear.weight"]
    assert torch.equal(weight, encoder.projection.weight)


def test_a_projection_begins_with_the_first_numbers_and_learns(tiny_encoder: Path) -> None:
    options = EncoderOptions(tuning=TopLayers(layers=1), projection=5)
    encoder = load_text_encoder(tiny_encoder, options).eval()
    tokens = tokens_of(tiny_encoder)
    with torch.no_grad():
        whole = load_text_encoder(tiny_encoder, EncoderOptions(tuning=Frozen())).eval()(*tokens)
        found = encoder(*tokens)

    # Whole vectors have length 1, and so have their first five numbers again after division.
    first = whole[:, :5]
    torch.testing.assert_close(found, first / (first**2).sum(1, keepdim=True).sqrt())
    assert encoder.width == 5
    assert encoder.projection is not None
    before = encoder.projection.weight.detach().clone()
    learned(encoder, tiny_encoder)
    assert not torch.equal(encoder.projection.weight, before)


def test_dimensions_cut_and_bring_back_to_length_1(tiny_encoder: Path) -> None:
    tokens = tokens_of(tiny_encoder)
    with torch.no_grad():
        whole = load_text_encoder(tiny_encoder, EncoderOptions(tuning=Frozen())).eval()(*tokens)
        short = load_text_encoder(
            tiny_encoder, EncoderOptions(tuning=Frozen(), dimensions=2)
        ).eval()

        found = short(*tokens)

    # (a, b, ...) becomes (a, b) / sqrt(a^2 + b^2).
    for row, (a, b) in enumerate(whole[:, :2].tolist()):
        length = (a * a + b * b) ** 0.5
        assert found[row].tolist() == pytest.approx([a / length, b / length], rel=1e-4)
    assert short.width == 2


@pytest.mark.parametrize(
    "options",
    [
        EncoderOptions(tuning=Frozen(), dimensions=3),
        EncoderOptions(tuning=TopLayers(layers=1), projection=6),
        EncoderOptions(tuning=TopLayers(layers=1), projection=6, dimensions=3),
    ],
    ids=["cut", "projected", "both"],
)
def test_shorter_vectors_come_back(
    tiny_encoder: Path, tmp_path: Path, options: EncoderOptions
) -> None:
    encoder = trained(tiny_encoder, tmp_path, options)

    tokens = tokens_of(tiny_encoder)
    # Whether it is told again what was asked of it, to learn on, or not.
    for told in (options, EncoderOptions(tuning=Frozen())):
        again = load_text_encoder(tmp_path / ENCODER, told).eval()
        with torch.no_grad():
            torch.testing.assert_close(again(*tokens), encoder(*tokens), atol=1e-6, rtol=1e-5)
        assert again.width == encoder.width == (options.dimensions or options.projection)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (EncoderOptions(projection=33), "projection: 33 asked for, 32 is the most"),
        (EncoderOptions(dimensions=33), "dimensions: 33 asked for, 32 is the most"),
        (EncoderOptions(projection=8, dimensions=9), "dimensions: 9 asked for, 8 is the most"),
        (EncoderOptions(matryoshka=(8, 32)), "matryoshka: 32 asked for, 31 is the most"),
    ],
)
def test_longer_than_there_is(tiny_encoder: Path, options: EncoderOptions, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_text_encoder(tiny_encoder, options)


def test_a_stored_projection_of_another_length_is_refused(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    trained(tiny_encoder, tmp_path, EncoderOptions(tuning=Frozen(), dimensions=4))

    with pytest.raises(ConfigError, match=r"projection: 6 asked for, .* comes with one of 4"):
        load_text_encoder(tmp_path / ENCODER, EncoderOptions(projection=6))


def sentence_folder(folder: Path, kinds: list[str], **settings: dict[str, Any]) -> Path:
    """A folder's list alone, with the settings of each of its parts."""
    modules = [
        {
            "idx": place,
            "path": "" if place == 0 else kind,
            "type": f"sentence_transformers.x.{kind}",
        }
        for place, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    for kind, told in settings.items():
        (folder / kind).mkdir()
        (folder / kind / "config.json").write_text(json.dumps(told))
    return folder


MEAN = {"embedding_dimension": 4, "pooling_mode": "mean"}


def test_a_projection_with_a_bias_is_read(tmp_path: Path) -> None:
    plain = {"activation_function": "torch.nn.modules.linear.Identity"}
    folder = sentence_folder(
        tmp_path, ["Transformer", "Pooling", "Dense"], Pooling=MEAN, Dense=plain
    )
    stored = {"linear.weight": torch.ones(2, 4), "linear.bias": torch.zeros(2)}
    save_file(stored, folder / "Dense" / "model.safetensors")

    found = read_linear(folder)

    assert found is not None
    assert set(found) == {"weight", "bias"}


@pytest.mark.parametrize(
    ("kinds", "settings", "message"),
    [
        (["Transformer", "Pooling"], {"Pooling": {"pooling_mode": "cls"}}, "made by cls"),
        (
            ["Transformer", "Pooling", "Normalize"],
            {"Pooling": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}},
            "made by cls",
        ),
        (
            ["Transformer", "Pooling", "Dense", "Normalize"],
            {"Pooling": MEAN, "Dense": {"activation_function": "torch.nn.Tanh"}},
            "a linear layer with torch.nn.Tanh",
        ),
        (["Transformer", "Pooling", "Dense", "Dense"], {"Pooling": MEAN}, "at most one Dense"),
        (["Transformer", "LSTM", "Pooling"], {}, "Transformer, LSTM, Pooling found"),
        (["StaticEmbedding"], {}, "StaticEmbedding found"),
    ],
)
def test_what_is_built_otherwise_is_refused(
    tmp_path: Path, kinds: list[str], settings: dict[str, dict[str, Any]], message: str
) -> None:
    folder = sentence_folder(tmp_path, kinds, **settings)

    with pytest.raises(ConfigError, match=message):
        read_linear(folder)


@pytest.mark.parametrize(
    "options",
    [
        EncoderOptions(tuning=TopLayers(layers=1)),
        EncoderOptions(tuning=Lora(rank=2)),
        EncoderOptions(tuning=TopLayers(layers=1), projection=6, dimensions=3),
    ],
    ids=lambda options: f"{named(options.tuning)}-{options.dimensions}",
)
def test_sentence_transformers_reads_it(
    tiny_encoder: Path, tmp_path: Path, options: EncoderOptions
) -> None:
    library = pytest.importorskip("sentence_transformers", reason="comes with the MiniLM package")
    encoder = trained(tiny_encoder, tmp_path, options)

    theirs = library.SentenceTransformer(str(tmp_path / ENCODER), device="cpu")

    with torch.no_grad():
        ours = encoder(*tokens_of(tiny_encoder))
        asked = encoder(*tokens_of(tiny_encoder, [f"query: {text}" for text in TEXTS]))
    found = theirs.encode(TEXTS, convert_to_tensor=True).cpu()
    torch.testing.assert_close(found, ours, atol=1e-5, rtol=1e-4)
    found = theirs.encode_query(TEXTS, convert_to_tensor=True).cpu()
    torch.testing.assert_close(found, asked, atol=1e-5, rtol=1e-4)


def test_sentence_transformers_refuses_what_it_cannot_compute(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    library = pytest.importorskip("sentence_transformers", reason="comes with the MiniLM package")
    trained(tiny_encoder, tmp_path, EncoderOptions(tuning=Adapter(width=4)))

    # Without the adapters its vectors would be others, and nothing would say so.
    with pytest.raises((ValueError, ImportError), match="shelfwise"):
        library.SentenceTransformer(str(tmp_path / ENCODER), device="cpu")
