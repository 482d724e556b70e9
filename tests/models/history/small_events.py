"""Histories small enough to be looked at, and encoders of every kind to read them."""

from __future__ import annotations

import torch
from torch import nn

from shelfwise.models.config import (
    HistoryEncoderOptions,
    MeanPoolHistory,
    NoHistory,
    TargetAttentionHistory,
    TransformerHistory,
)
from shelfwise.models.history.choice import history_encoder
from shelfwise.models.history_encoder import Events

WIDTH, KINDS = 8, 4
READING: list[HistoryEncoderOptions] = [
    TransformerHistory(layers=1, heads=2),
    TransformerHistory(layers=2, heads=2),
    MeanPoolHistory(),
    TargetAttentionHistory(hidden=6),
]
EVERY = [*READING, NoHistory()]


def named(options: HistoryEncoderOptions) -> str:
    """What a test of these options is called."""
    return " ".join(map(str, options.model_dump().values()))


def random_encoder(options: HistoryEncoderOptions) -> nn.Module:
    """Every weight random: at the start some are zero, and would hide what they do."""
    made = history_encoder(WIDTH, KINDS, options)
    assert isinstance(made, nn.Module)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.3)
    return made.eval()


def events_of(length: int, seed: int = 0) -> Events:
    """One history; its second event is a search, the others are items."""
    torch.manual_seed(seed)
    is_item = torch.ones(1, length, dtype=torch.bool)
    if length > 1:
        is_item[0, 1] = False
    return Events(
        vector_RLD=torch.randn(1, length, WIDTH),
        is_item_RL=is_item,
        kind_RL=torch.randint(KINDS, (1, length)),
        age_RL=(torch.rand(1, length) * 100).sort(descending=True).values,
        valid_RL=torch.ones(1, length, dtype=torch.bool),
    )


def hidden(length: int) -> Events:
    """``length`` places of junk that are not valid."""
    nothing = torch.zeros(1, length, dtype=torch.bool)
    return events_of(length, seed=9)._replace(is_item_RL=nothing, valid_RL=nothing)


def joined(first: Events, second: Events, dim: int) -> Events:
    """One after the other: in time (dim 1) or as rows of a batch (dim 0); without texts."""
    pairs = zip(first[:-1], second[:-1], strict=True)
    return Events(*(torch.cat(pair, dim=dim) for pair in pairs))  # type: ignore[arg-type]


def places(events: Events, chosen: slice | list[int]) -> Events:
    """The events at some places; without texts."""
    return Events(*(part[:, chosen] for part in events[:-1]))  # type: ignore[index]


def request_of(rows: int, seed: int = 5) -> torch.Tensor:
    """``[rows, WIDTH]`` random requests."""
    torch.manual_seed(seed)
    return torch.randn(rows, WIDTH)
