"""A trained network on disk: safetensors only, the encoder in sentence-transformers' layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from shelfwise.models.config import ModelOptions
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.schema.errors import ArtifactError

ENCODER = "encoder"
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "sentence_bert_config.json",
)
_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {
        "idx": 2,
        "name": "2",
        "path": "2_Normalize",
        "type": "sentence_transformers.models.Normalize",
    },
]


def save_encoder(encoder: TextEncoder, source: Path, folder: Path) -> None:
    """Write a fine-tuned encoder with the tokenizer of ``source``, the folder it came from."""
    target = folder / ENCODER
    (target / "1_Pooling").mkdir(parents=True)
    (target / "2_Normalize").mkdir()
    encoder.model.config.save_pretrained(target)  # type: ignore[operator, union-attr]  # HF config
    tensors = {n: t.detach().cpu().contiguous() for n, t in encoder.model.state_dict().items()}
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    for name in _TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    (target / "modules.json").write_text(json.dumps(_MODULES, indent=2) + "\n")
    pooling = {"word_embedding_dimension": encoder.width, "pooling_mode_mean_tokens": True}
    (target / "1_Pooling" / "config.json").write_text(json.dumps(pooling, indent=2) + "\n")


def load_encoder(folder: Path, options: ModelOptions) -> TextEncoder:
    """Read the encoder of a run, ready to answer."""
    kept = options.encoder.model_copy(update={"keep_layers": None})
    encoder = load_text_encoder(folder / ENCODER, kept)
    return encoder.eval().requires_grad_(False)


def save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write named tensors as safetensors."""
    save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, path)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read named tensors; safetensors cannot run code."""
    return dict(load_file(path))


def load_shelf_model(path: Path, shape: Shape, options: ModelOptions) -> ShelfModel:
    """Read the network above the encoder.

    Args:
        path: its safetensors file.
        shape: sizes that follow from the shop.
        options: as it was trained with.

    Raises:
        ArtifactError: another version's network wrote it.
    """
    with torch.device("meta"):
        model = ShelfModel(shape, options)
    try:
        model.load_state_dict(load_tensors(path), assign=True)
    except RuntimeError as error:
        raise ArtifactError(
            f"{path}: its weights are not those of this version's network; train again, or use "
            f"the version that wrote it\n  {error}"
        ) from error
    return _ready(model)


def _ready(model: ShelfModel) -> ShelfModel:
    nn.Module.eval(model)
    return model.requires_grad_(False)
