from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from shelfwise.models.config import EncoderOptions, ModelOptions, TopLayers
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.models.weights import (
    load_encoder,
    load_shelf_model,
    load_tensors,
    save_encoder,
    save_tensors,
)
from shelfwise.schema.errors import ArtifactError

from .test_text_encoder import tokens_of

SHAPE = Shape(text_width=32, items=5, numbers=2, trend=5)
SMALL = ModelOptions(width=8)


def changed_encoder(folder: Path, keep: int | None = None) -> TextEncoder:
    """As after training: one layer is no longer what was loaded."""
    encoder = load_text_encoder(
        folder, EncoderOptions(name=str(folder), keep_layers=keep, tuning=TopLayers(layers=1))
    )
    with torch.no_grad():
        for parameter in encoder.layers[-1].parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator()))
    return encoder.eval()


@pytest.mark.parametrize("keep", [None, 1])
def test_a_saved_encoder_gives_the_same_vectors(
    tiny_encoder: Path, tmp_path: Path, keep: int | None
) -> None:
    encoder = changed_encoder(tiny_encoder, keep)
    save_encoder(encoder, tiny_encoder, tmp_path)
    options = ModelOptions(
        encoder=EncoderOptions(name="gone", keep_layers=keep, tuning=TopLayers(layers=1))
    )

    again = load_encoder(tmp_path, options)

    ids, mask = tokens_of(tiny_encoder)
    with torch.no_grad():
        assert torch.equal(again(ids, mask), encoder(ids, mask))
    assert not any(parameter.requires_grad for parameter in again.parameters())
    assert not again.training


def test_tensors_come_back(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6).view(2, 3).T, "b": torch.tensor([True, False])}

    save_tensors(tensors, tmp_path / "t.safetensors")

    found = load_tensors(tmp_path / "t.safetensors")
    assert set(found) == {"a", "b"}
    assert torch.equal(found["a"], tensors["a"])
    assert torch.equal(found["b"], tensors["b"])


def test_a_saved_network_comes_back_ready_to_answer(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = ShelfModel(SHAPE, SMALL)
    save_tensors(model.state_dict(), tmp_path / "model.safetensors")

    again = load_shelf_model(tmp_path / "model.safetensors", SHAPE, SMALL)

    assert not again.training
    assert not any(p.requires_grad or p.is_meta for p in again.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


def test_the_network_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_tensors(ShelfModel(SHAPE, SMALL).state_dict(), path)

    with pytest.raises(ArtifactError, match="not those of this version's network"):
        load_shelf_model(path, SHAPE._replace(items=6), SMALL)

    tensors = load_file(path)
    tensors.pop("trend")
    save_file(tensors, path)
    with pytest.raises(ArtifactError, match=r"train again(.|\n)*trend"):
        load_shelf_model(path, SHAPE, SMALL)
