"""The pre-trained language model: token ids in, one vector per text out.

Shape suffixes in this file: B = texts, L = tokens of the longest, H = the encoder's width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shelfwise.models.config import EncoderOptions, Frozen, Full, TopLayers, TuningOptions
from shelfwise.schema.errors import ConfigError

# Their layers take hidden states and a mask, and nothing else. Others (MPNet, DeBERTa) have the
# same parts but add relative positions from outside; run like BERT, they would be quietly wrong.
_FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "electra")


class TextEncoder(nn.Module):
    """A BERT-like encoder with mean pooling, split into a part that learns and one that does not.

    `lower` runs the embeddings and the layers that do not learn, so that its result can be kept;
    `upper` runs the rest. ``forward`` is one after the other. With every weight learning (mode
    ``full``) the lower part is the embeddings alone and must not be kept.
    """

    def __init__(self, model: nn.Module, tuning: TuningOptions) -> None:
        super().__init__()
        self.model = model
        self.layers: nn.ModuleList = _layers_of(model)
        self.learning_layers = _learning_layers(tuning, len(self.layers))
        self.keeps_lower = not isinstance(tuning, Full)
        learning = self.layers[len(self.layers) - self.learning_layers :]
        self.requires_grad_(isinstance(tuning, Full))
        learning.requires_grad_(True)

    @property
    def width(self) -> int:
        """H, the length of a text's vector."""
        return int(self.model.config.hidden_size)  # type: ignore[arg-type, union-attr]  # HF config

    def lower(self, input_ids_BL: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, L, H]`` hidden states below the layers that learn."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.keeps_lower):
            hidden_BLH: Tensor = self.model.embeddings(input_ids=input_ids_BL)  # type: ignore[operator]
            if hasattr(self.model, "embeddings_project"):  # ELECTRA's embeddings may be narrower
                hidden_BLH = self.model.embeddings_project(hidden_BLH)  # type: ignore[operator]
            frozen = self.layers[: len(self.layers) - self.learning_layers]
            return _run(frozen, hidden_BLH, mask_BL)

    def upper(self, hidden_BLH: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, H]`` mean of the last hidden states over a text's own tokens, unit length."""
        learning = self.layers[len(self.layers) - self.learning_layers :]
        hidden_BLH = _run(learning, hidden_BLH, mask_BL).float()
        mask_BL1 = mask_BL[:, :, None].to(hidden_BLH.dtype)
        mean_BH = (hidden_BLH * mask_BL1).sum(1) / mask_BL1.sum(1).clamp(min=1)
        return nn.functional.normalize(mean_BH, dim=-1)

    def forward(self, input_ids_BL: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, H]`` unit vectors of texts."""
        return self.upper(self.lower(input_ids_BL, mask_BL), mask_BL)

    def penalty(self) -> Tensor | None:
        """What the way of tuning adds to the loss; None where it adds nothing."""
        return None

    def after_step(self, step: int, total: int) -> None:
        """Told between an optimiser's step and the clearing of gradients: ``step`` of ``total``."""


def load_text_encoder(folder: Path, options: EncoderOptions) -> TextEncoder:
    """Read an encoder's folder, as saved by transformers or sentence-transformers."""
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32)
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # reads the first token alone; we take the mean of all
    if options.keep_layers is not None:
        layers = _layers_of(model)
        if options.keep_layers > len(layers):
            raise ConfigError(
                f"model.encoder.keep_layers: {options.keep_layers} asked for, "
                f"{options.name} has {len(layers)}"
            )
        del layers[options.keep_layers :]
        model.config.num_hidden_layers = options.keep_layers
    return TextEncoder(model, options.tuning)


def _layers_of(model: nn.Module) -> nn.ModuleList:
    family = model.config.model_type  # type: ignore[union-attr]  # HF config
    if family not in _FAMILIES:
        raise ConfigError(
            f"encoder: {type(model).__name__} is not built like BERT; models of type "
            f"{', '.join(_FAMILIES)} are"
        )
    layers: nn.ModuleList = model.encoder.layer  # type: ignore[assignment, union-attr]  # as BERT
    return layers


def _learning_layers(tuning: TuningOptions, available: int) -> int:
    match tuning:
        case Frozen():
            return 0
        case Full():
            return available
        case TopLayers(layers=layers):
            if layers > available:
                raise ConfigError(
                    f"model.encoder.tuning.layers: {layers} asked for, the encoder has {available}"
                )
            return layers


def _run(layers: Any, hidden_BLH: Tensor, mask_BL: Tensor) -> Tensor:
    blocked_B11L = torch.zeros(mask_BL.shape, dtype=hidden_BLH.dtype, device=hidden_BLH.device)
    blocked_B11L = blocked_B11L.masked_fill(~mask_BL.bool(), torch.finfo(hidden_BLH.dtype).min)
    for layer in layers:
        out = layer(hidden_BLH, blocked_B11L[:, None, None, :])
        hidden_BLH = out[0] if isinstance(out, tuple) else out
    return hidden_BLH
