"""A trained network on disk: safetensors only, the encoder in sentence-transformers' layout."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from shelfwise.models.bottleneck import has_bottlenecks
from shelfwise.models.config import EncoderOptions, Frozen, ModelOptions
from shelfwise.models.low_rank import plain_weights
from shelfwise.models.sentence_folder import write_sentence_folder
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


def save_encoder(
    encoder: TextEncoder, source: Path, folder: Path, prompts: Mapping[str, str] | None = None
) -> None:
    """Write a fine-tuned encoder with the tokenizer of ``source``, the folder it came from.

    Low-rank updates are merged into its weights. Bottleneck adapters cannot be: they stand beside
    the weights, where `load_text_encoder` finds them, and the folder says that others must not read
    it without.

    Args:
        encoder: as it has learned.
        source: folder with its tokenizer.
        folder: a run's; the encoder goes into one of its own there.
        prompts: what is written before a ``query`` and a ``document``; sentence-transformers
            writes it too.
    """
    target = folder / ENCODER
    target.mkdir(parents=True)
    encoder.model.config.save_pretrained(target)  # type: ignore[operator, union-attr]  # HF config
    weights = {n: t.detach().cpu().contiguous() for n, t in plain_weights(encoder.model).items()}
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    for name in _TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    write_sentence_folder(
        target,
        encoder.hidden_width,
        encoder.linear(),
        prompts or {},
        plain=not has_bottlenecks(encoder.model),
    )


def load_encoder(folder: Path, options: ModelOptions) -> TextEncoder:
    """Read the encoder of a run, ready to answer."""
    # What was asked of the encoder it came from has been done to it.
    done = EncoderOptions(name=options.encoder.name, tuning=Frozen())
    encoder = load_text_encoder(folder / ENCODER, done)
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
