"""Who learns how fast: parameters in groups, and the rule that moves them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from shelfwise.models.text_encoder import TextEncoder
from shelfwise.training.config import TrainOptions


def optimizer_of(
    model: Iterable[nn.Parameter], encoder: TextEncoder | None, options: TrainOptions
) -> torch.optim.Optimizer:
    """The optimiser of whatever learns in ``model`` and in the text encoder.

    Args:
        model: parameters above the text encoder.
        encoder: its learning layers get rates of their own; None where it takes no part.
        options: rule, peak rates, weight decay and the layers' decay.
    """
    above = [parameter for parameter in model if parameter.requires_grad]
    groups: list[dict[str, Any]] = [{"params": above, "lr": options.learning_rate}]
    if encoder is not None:
        groups += encoder_groups(encoder, options.encoder_learning_rate, options.layer_decay)
    groups = [group for group in groups if group["params"]]
    match options.optimizer:
        case "adamw":
            return torch.optim.AdamW(groups, weight_decay=options.weight_decay, fused=True)
        case "adafactor":
            return torch.optim.Adafactor(groups, weight_decay=options.weight_decay)


def encoder_groups(encoder: TextEncoder, peak: float, decay: float) -> list[dict[str, Any]]:
    """What learns of the encoder, by rate: ``peak`` on top, times ``decay`` for each layer down.

    Layers near the words hold what language is in general and should move least (Howard and Ruder,
    2018, arXiv:1801.06146; as one factor a layer, Clark et al., 2020, arXiv:2003.10555).
    """
    depths = {
        id(parameter): depth
        for depth, layer in enumerate(reversed(encoder.layers))
        for parameter in layer.parameters()
    }
    by_rate: dict[float, list[nn.Parameter]] = {}
    for name, parameter in encoder.named_parameters():
        if parameter.requires_grad:
            # What belongs to no layer stands below all of them (embeddings) or above (projection).
            outside = len(encoder.layers) if "embeddings" in name else 0
            rate = peak * decay ** depths.get(id(parameter), outside)
            by_rate.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "lr": rate} for rate, parameters in by_rate.items()]
