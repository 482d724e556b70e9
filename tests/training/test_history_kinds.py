"""Every kind of history encoder in a training step of the whole network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import (
    FlatTextHistory,
    HistoryEncoderOptions,
    MeanPoolHistory,
    NoHistory,
    TargetAttentionHistory,
    TransformerHistory,
)
from shelfwise.models.inputs import as_requests
from shelfwise.schema.errors import ConfigError
from shelfwise.training.config import TrainOptions
from shelfwise.training.objective import batch_loss

from .small_network import CPU, TOP, first_batch, network_of

FLAT = FlatTextHistory(last=2, tokens=32)
KINDS: list[HistoryEncoderOptions] = [
    TransformerHistory(layers=2, heads=2),
    TransformerHistory(layers=1, heads=2, searches=False),
    MeanPoolHistory(),
    TargetAttentionHistory(hidden=4),
    FLAT,
    NoHistory(),
]


@pytest.mark.parametrize("options", KINDS, ids=lambda options: options.kind)
def test_a_few_steps_lower_the_loss(
    prepared_sample: PreparedShop, tiny_encoder: Path, options: HistoryEncoderOptions
) -> None:
    network = network_of(prepared_sample, tiny_encoder, TOP, options)
    batch = first_batch(prepared_sample, 32)
    learning = [p for p in network.model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=3e-3)
    network.model.eval()
    losses = []

    for _ in range(8):
        terms = batch_loss(network, batch, TrainOptions(), np.random.default_rng(0), ())
        losses.append(float(terms.match.detach()))
        optimizer.zero_grad()
        terms.total.backward()
        optimizer.step()

    assert losses[-1] < losses[0] - 0.2


def test_what_histories_say_as_text_teaches_the_encoder(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    """Without a single text encoded anew for its own sake."""
    network = network_of(prepared_sample, tiny_encoder, TOP, FLAT)
    batch = first_batch(prepared_sample, 64)
    now = network.moments(batch.at_R)
    asked = as_requests(batch.history, batch.query_R, batch.surface_R, CPU, now.moment_R)
    catalogue = network.catalogue(asked.query_texts, now.trend_KVG)

    request = network.model.request_vectors(asked.requests, catalogue)
    request[:, 0].sum().backward()

    learning = [p for p in network.bank.encoder.parameters() if p.requires_grad]
    assert learning
    # A key's bias adds the same to all logits of a softmax: it alone gets no gradient.
    reached = [p for p in learning if p.grad is not None and p.grad.abs().max() > 1e-9]
    assert len(reached) >= len(learning) - 1


def test_more_tokens_than_the_encoder_has_places_for(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    with pytest.raises(ConfigError, match=r"history\.tokens: 96 asked for, the encoder reads"):
        network_of(prepared_sample, tiny_encoder, TOP, FlatTextHistory())
