"""The pre-trained language model: token ids in, one vector per text out.

Shape suffixes in this file: B = texts, L = tokens of the longest, H = the encoder's width,
D = length of a text's vector.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from shelfwise.models.bottleneck import add_bottlenecks, has_bottlenecks, load_bottlenecks
from shelfwise.models.config import (
    AdaLora,
    Adapter,
    EncoderOptions,
    Frozen,
    Full,
    Lora,
    TopLayers,
    TuningOptions,
)
from shelfwise.models.crossing import SideBySide
from shelfwise.models.low_rank import AdaptiveRanks, add_adalora, add_lora
from shelfwise.models.packing import rows_for
from shelfwise.models.places import Place
from shelfwise.models.sentence_folder import read_linear
from shelfwise.schema.errors import ConfigError

# Their layers take hidden states and a mask, and nothing else. Others (MPNet, DeBERTa) have the
# same parts but add relative positions from outside; run like BERT, they would be quietly wrong.
_FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "electra")


class TextEncoder(nn.Module):
    """A BERT-like encoder with mean pooling, split into a part that learns and one that does not.

    `lower` runs the embeddings and the layers in which nothing learns, so that its result can be
    kept; `upper` runs the rest. ``forward`` is one after the other. Where something learns in every
    layer, the lower part is the embeddings alone: not worth keeping, and in mode ``full`` not even
    the same after a step.
    """

    def __init__(
        self,
        model: nn.Module,
        tuning: TuningOptions,
        projection: nn.Linear | None = None,
        dimensions: int | None = None,
    ) -> None:
        """``dimensions``: how many numbers of a vector are used; None for all."""
        super().__init__()
        self.model = model
        self.layers: nn.ModuleList = _layers_of(model)
        self.learning_layers = _learning_layers(tuning, len(self.layers))
        self.keeps_lower = self.learning_layers < len(self.layers)
        self.projection = projection
        self.dimensions = dimensions
        self.crossing = 0  # upper layers in which the texts of a pair read each other
        self.words = Place("words")
        self.ranks = self._let_learn(tuning)

    @property
    def hidden_width(self) -> int:
        """H, the length of a token's hidden state."""
        return _hidden_width(self.model)

    @property
    def width(self) -> int:
        """D, the length of a text's vector."""
        whole = self.hidden_width if self.projection is None else self.projection.out_features
        return whole if self.dimensions is None else self.dimensions

    def lower(self, input_ids_BL: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, L, H]`` hidden states below the layers that learn."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.keeps_lower):
            embeddings: Any = self.model.embeddings
            word_BLH: Tensor = embeddings.word_embeddings(input_ids_BL)
            if not self.keeps_lower:
                word_BLH = self.words(word_BLH, mask_BL.bool())
            hidden_BLH: Tensor = embeddings(inputs_embeds=word_BLH)
            if hasattr(self.model, "embeddings_project"):  # ELECTRA's embeddings may be narrower
                hidden_BLH = self.model.embeddings_project(hidden_BLH)  # type: ignore[operator]
            return _run(self.layers[: self._first_upper], hidden_BLH, mask_BL)

    def upper(self, hidden_BLH: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, D]`` mean of the last hidden states over a text's own tokens, unit length."""
        hidden_BLH = self.middle(hidden_BLH, mask_BL)
        return self._mean(_run(self._crossed(), hidden_BLH, mask_BL), mask_BL)

    def middle(self, hidden_BLH: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, L, H]`` from where `lower` ends to where the texts of a pair meet, if they do."""
        if self.keeps_lower:  # words as the frozen layers leave them: below, nothing can be moved
            hidden_BLH = self.words(hidden_BLH, mask_BL.bool())
        return _run(
            self.layers[self._first_upper : len(self.layers) - self.crossing], hidden_BLH, mask_BL
        )

    def together(self, pairs: SideBySide, across: Tensor) -> tuple[Tensor, Tensor]:
        """``[B, D]`` unit vectors of first and second texts that have read each other.

        ``across``, a number, is added to the logit of attending to a token of the other text: far
        below 0 each text reads itself, as if it were alone.
        """
        met = Met(pairs.second_BW, across)
        hidden_BWH = _run(self._crossed(), pairs.hidden_BWH, pairs.there_BW, met)
        return self._mean(hidden_BWH, pairs.first_BW), self._mean(hidden_BWH, pairs.second_BW)

    def _mean(self, hidden_BLH: Tensor, mask_BL: Tensor) -> Tensor:
        hidden_BLH = hidden_BLH.float()
        mask_BL1 = mask_BL[:, :, None].to(hidden_BLH.dtype)
        vector_BD = (hidden_BLH * mask_BL1).sum(1) / mask_BL1.sum(1).clamp(min=1)
        if self.projection is not None:
            vector_BD = self.projection(vector_BD).float()
        return nn.functional.normalize(vector_BD[:, : self.dimensions], dim=-1)

    def forward(self, input_ids_BL: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, D]`` unit vectors of texts."""
        return self.upper(self.lower(input_ids_BL, mask_BL), mask_BL)

    def let_meet(self, layers: int) -> None:
        """From now on the upper ``layers``, or all there are, may be asked to read pairs."""
        self.crossing = min(layers, len(self.layers))
        self.keeps_lower = self._first_upper > 0

    def reach_words(self) -> None:
        """From now on the place `words` is where embeddings of words are, whatever learns."""
        self.learning_layers, self.keeps_lower = len(self.layers), False

    def penalty(self) -> Tensor | None:
        """What the way of tuning adds to the loss; None where it adds nothing."""
        return None if self.ranks is None else self.ranks.penalty()

    def after_step(self, step: int, total: int) -> None:
        """Told between an optimiser's step and the clearing of gradients: ``step`` of ``total``."""
        if self.ranks is not None:
            self.ranks.after_step(step, total)

    def linear(self) -> dict[str, Tensor] | None:
        """``weight`` ``[D, H]``, perhaps ``bias``, that a mean goes through; None for nothing."""
        if self.projection is not None:
            kept = self.projection.state_dict()
            return {name: tensor[: self.dimensions] for name, tensor in kept.items()}
        if self.dimensions is None:
            return None
        return {"weight": _first_numbers(self.dimensions, self.model)}

    @property
    def _first_upper(self) -> int:
        """The first layer that learns, or in which the texts of a pair may meet."""
        return len(self.layers) - max(self.learning_layers, self.crossing)

    def _crossed(self) -> nn.ModuleList:
        return self.layers[len(self.layers) - self.crossing :]

    def _learning(self) -> nn.ModuleList:
        return self.layers[len(self.layers) - self.learning_layers :]

    def _let_learn(self, tuning: TuningOptions) -> AdaptiveRanks | None:
        """Switch gradients on for what ``tuning`` names, and for nothing else."""
        self.requires_grad_(False)
        ranks = None
        match tuning:
            case Full():
                self.requires_grad_(True)
            case TopLayers():
                self._learning().requires_grad_(True)
            case Lora():
                add_lora(self.model, self._plain_learning(tuning.mode), tuning)
            case AdaLora():
                ranks = add_adalora(self.model, self._plain_learning(tuning.mode), tuning)
            case Adapter(width=width):
                for bottleneck in add_bottlenecks(self._learning(), width):
                    bottleneck.requires_grad_(True)
            case Frozen():
                return None
        if self.projection is not None:
            self.projection.requires_grad_(True)
        return ranks

    def _plain_learning(self, mode: str) -> nn.ModuleList:
        if has_bottlenecks(self.model):  # behind a weight, so that an update could not be merged
            raise ConfigError(
                f"model.encoder.tuning.mode: {mode} cannot be put on an encoder with bottleneck "
                "adapters; choose adapter, top_layers, full or frozen"
            )
        return self._learning()


def load_text_encoder(folder: Path, options: EncoderOptions) -> TextEncoder:
    """Read an encoder's folder, as saved by transformers, sentence-transformers or us.

    Raises:
        ConfigError: the encoder is not of a kind that can be run, or has not what is asked for.
    """
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
    load_bottlenecks(model, folder / "model.safetensors")
    projection = _projection(model, read_linear(folder), options)
    encoder = TextEncoder(model, options.tuning, projection, options.dimensions)
    _check_lengths(encoder, options)
    return encoder


def _projection(
    model: nn.Module, stored: dict[str, Tensor] | None, options: EncoderOptions
) -> nn.Linear | None:
    """The folder's linear layer, or a new one that begins by taking the first numbers."""
    if stored is None:
        if options.projection is None:
            return None
        stored = {"weight": _first_numbers(options.projection, model)}
    width, hidden = stored["weight"].shape
    # One that was saved with fewer dimensions is what is left of it.
    if options.projection is not None and width not in (options.projection, options.dimensions):
        raise ConfigError(
            f"model.encoder.projection: {options.projection} asked for, "
            f"{options.name} comes with one of {width}"
        )
    projection = nn.Linear(hidden, width, bias="bias" in stored)
    projection.load_state_dict(stored)
    return projection


def _first_numbers(width: int, model: nn.Module) -> Tensor:
    """``[D, H]`` matrix that keeps a vector's first ``width`` numbers."""
    return torch.eye(width, _hidden_width(model))


def _hidden_width(model: nn.Module) -> int:
    return int(model.config.hidden_size)  # type: ignore[arg-type, union-attr]  # HF config


def _check_lengths(encoder: TextEncoder, options: EncoderOptions) -> None:
    hidden = encoder.hidden_width
    whole = hidden if encoder.projection is None else encoder.projection.out_features
    asked = [
        ("projection", options.projection, hidden),
        ("dimensions", options.dimensions, whole),
        *(("matryoshka", width, encoder.width - 1) for width in options.matryoshka),
    ]
    wrong = [
        f"model.encoder.{name}: {found} asked for, {most} is the most here"
        for name, found, most in asked
        if found is not None and found > most
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))


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
        case TopLayers() | Lora() | AdaLora() | Adapter():
            layers = tuning.layers
    if layers is not None and layers > available:
        raise ConfigError(
            f"model.encoder.tuning.layers: {layers} asked for, the encoder has {available}"
        )
    return available if layers is None else layers


class Met(NamedTuple):
    """How tokens of two texts in one row attend to each other."""

    second_BL: Tensor  # bool: of the second text
    across: Tensor  # () added to the logit of attending to the other text

    def blocked(self, attends: Tensor, second: Tensor, least: float) -> Tensor:
        """``[B, L, L]`` what is added to the logits of attention."""
        other = second[:, :, None] != second[:, None, :]
        return torch.where(attends, other * self.across, least)


def _run(
    layers: nn.ModuleList, hidden_BLH: Tensor, mask_BL: Tensor, met: Met | None = None
) -> Tensor:
    """Through the layers, in rows of several texts where that saves padding."""
    if len(layers) == 0:
        return hidden_BLH
    rows = rows_for(mask_BL)
    if rows is None:
        attends = mask_BL.bool()[:, None, :]
        second = None if met is None else met.second_BL
        return _attending(layers, hidden_BLH, attends, met, second)
    second = None if met is None else rows.packed(met.second_BL[:, :, None]).squeeze(-1)
    packed = _attending(layers, rows.packed(hidden_BLH), rows.attends(), met, second)
    return rows.apart(packed)


def _attending(
    layers: nn.ModuleList,
    hidden_BLH: Tensor,
    attends: Tensor,
    met: Met | None,
    second_BL: Tensor | None,
) -> Tensor:
    """``attends``: ``[B, L or 1, L]`` whether a token attends to another."""
    least = torch.finfo(hidden_BLH.dtype).min
    if met is None or second_BL is None:
        blocked = torch.zeros(attends.shape, dtype=hidden_BLH.dtype, device=hidden_BLH.device)
        blocked = blocked.masked_fill(~attends, least)
    else:
        blocked = met.blocked(attends, second_BL, least).to(hidden_BLH.dtype)
    blocked = blocked[:, None]
    for layer in layers:
        out = layer(hidden_BLH, blocked)
        hidden_BLH = out[0] if isinstance(out, tuple) else out
    return hidden_BLH
