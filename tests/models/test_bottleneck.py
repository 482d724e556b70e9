from __future__ import annotations

import copy
from pathlib import Path

import torch

from shelfwise.models.bottleneck import Bottleneck, bottleneck_of, has_bottlenecks
from shelfwise.models.config import Adapter, Frozen

from .test_text_encoder import encoder_of, tokens_of


def test_by_hand() -> None:
    # One unit: down = x1 + x2 - 1 = 2 and gelu(2) = 2 * .97725 = 1.9545;
    # up = (10, -1) times it + (0, 3), added to x.
    adapter = Bottleneck(hidden=2, width=1)
    adapter.load_state_dict(
        {
            "down.weight": torch.tensor([[1.0, 1.0]]),
            "down.bias": torch.tensor([-1.0]),
            "up.weight": torch.tensor([[10.0], [-1.0]]),
            "up.bias": torch.tensor([0.0, 3.0]),
        }
    )

    found = adapter(torch.tensor([[1.0, 2.0]]))

    expected = torch.tensor([[1 + 19.545, 2 - 1.9545 + 3]])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


def test_at_first_it_changes_nothing() -> None:
    states = torch.randn(3, 5, 8)

    assert torch.equal(Bottleneck(8, 2)(states), states)


def test_where_adapters_stand_and_how_large_they_are(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, Adapter(width=4, layers=1))

    below, above = encoder.layers
    assert not has_bottlenecks(below)
    for dense in (above.attention.output.dense, above.output.dense):
        assert isinstance(bottleneck_of(dense), Bottleneck)
    learning = sum(p.numel() for p in encoder.parameters() if p.requires_grad)
    # 32 numbers to 4 and back, with biases: 32 * 4 + 4 + 4 * 32 + 32 = 292, twice.
    assert learning == 2 * 292
    assert not has_bottlenecks(encoder_of(tiny_encoder, Frozen()))


def test_a_copy_goes_through_adapters_of_its_own(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, Adapter(width=4))
    tokens = tokens_of(tiny_encoder)
    with torch.no_grad():
        before = encoder(*tokens)
        other = copy.deepcopy(encoder)
        for adapter in encoder.modules():
            if isinstance(adapter, Bottleneck):
                adapter.up.bias.normal_()

        assert not torch.allclose(encoder(*tokens), before)
        assert torch.equal(other(*tokens), before)
