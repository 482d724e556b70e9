from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import nn

from shelfwise.models.config import EncoderOptions, Frozen, Full, TopLayers, TuningOptions
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.training.config import TrainOptions
from shelfwise.training.optimizer import encoder_groups, optimizer_of


def encoder_of(folder: Path, tuning: TuningOptions) -> TextEncoder:
    return load_text_encoder(folder, EncoderOptions(name=str(folder), tuning=tuning))


def rates(encoder: TextEncoder, decay: float) -> dict[str, float]:
    rate_of = {
        id(parameter): group["lr"]
        for group in encoder_groups(encoder, 8.0, decay)
        for parameter in group["params"]
    }
    return {n: rate_of[id(p)] for n, p in encoder.named_parameters() if p.requires_grad}


def test_each_layer_down_learns_slower_by_hand(tiny_encoder: Path) -> None:
    # Two layers: 8 on top, 8 * 1/2 = 4 below it, and the embeddings below both 8 * 1/4 = 2.
    found = rates(encoder_of(tiny_encoder, Full()), 0.5)

    assert {rate for name, rate in found.items() if "layer.1." in name} == {8.0}
    assert {rate for name, rate in found.items() if "layer.0." in name} == {4.0}
    assert {rate for name, rate in found.items() if "embeddings" in name} == {2.0}


def test_without_decay_the_encoder_is_one_group(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, Full())

    (group,) = encoder_groups(encoder, 8.0, 1.0)

    assert group["lr"] == 8.0
    assert len(group["params"]) == len(list(encoder.parameters()))


def test_only_what_learns_is_in_a_group(tiny_encoder: Path) -> None:
    assert encoder_groups(encoder_of(tiny_encoder, Frozen()), 8.0, 0.5) == []
    assert set(rates(encoder_of(tiny_encoder, TopLayers(layers=1)), 0.5).values()) == {8.0}
    still = nn.Linear(2, 2).requires_grad_(False)
    moving = nn.Linear(2, 2)

    optimizer = optimizer_of([*still.parameters(), *moving.parameters()], None, TrainOptions())

    (group,) = optimizer.param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in moving.parameters()]


@pytest.mark.parametrize("rule", ["adamw", "adafactor"])
def test_a_loss_falls(rule: Literal["adamw", "adafactor"]) -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    options = TrainOptions(optimizer=rule, learning_rate=0.05)
    optimizer = optimizer_of(model.parameters(), None, options)
    x_BF = torch.randn(32, 4)
    y_BT = x_BF @ torch.randn(4, 3)

    losses = []
    for _ in range(60):
        loss = nn.functional.mse_loss(model(x_BF), y_BT)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    assert losses[-1] < losses[0] / 2
    assert type(optimizer).__name__.lower() == rule


def test_adafactor_keeps_a_row_and_a_column_of_a_matrix() -> None:
    model = nn.Linear(40, 30, bias=False)
    optimizer = optimizer_of(model.parameters(), None, TrainOptions(optimizer="adafactor"))
    model(torch.randn(2, 40)).sum().backward()
    optimizer.step()

    (state,) = optimizer.state.values()

    # 30 + 40 numbers where AdamW keeps 2 * 30 * 40.
    assert sum(t.numel() for name, t in state.items() if name != "step") == 30 + 40
