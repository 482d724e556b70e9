from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from shelfwise.models.config import TransformerHistory
from shelfwise.models.history.transformer import Block, TransformerHistoryEncoder
from shelfwise.models.history_encoder import Events

from .small_events import (
    KINDS,
    WIDTH,
    events_of,
    hidden,
    joined,
    places,
    random_encoder,
    request_of,
)

HEADS = 2


def encoder_of(layers: int) -> TransformerHistoryEncoder:
    made = random_encoder(TransformerHistory(layers=layers, heads=HEADS))
    assert isinstance(made, TransformerHistoryEncoder)
    return made


def fresh() -> TransformerHistoryEncoder:
    torch.manual_seed(0)
    options = TransformerHistory(layers=2, heads=HEADS)
    return TransformerHistoryEncoder(WIDTH, KINDS, options).eval()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_last_block_at_one_place_says_what_it_says_at_all(layers: int) -> None:
    """Outputs and gradients are those of the whole computation."""
    encoder = encoder_of(layers)
    events = joined(hidden(2), events_of(5), dim=1)
    vectors = events.vector_RLD.requires_grad_()
    request = request_of(1)

    found = encoder._state(events, vectors, request)
    (gradient,) = torch.autograd.grad(found.pow(2).sum(), vectors)

    x = torch.cat([vectors, request[:, None]], dim=1)
    bias = encoder.gap(events, x.shape[1])
    for block in encoder.blocks:
        x = block(x, bias)
    whole = encoder.norm(x[:, -1])
    (expected,) = torch.autograd.grad(whole.pow(2).sum(), vectors)
    torch.testing.assert_close(found, whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_block_is_attention_as_torch_has_it() -> None:
    """An independent reference: torch's own attention, with the same weights and mask."""
    block = encoder_of(1).blocks[0]
    assert isinstance(block, Block)
    x = torch.randn(2, 5, WIDTH)
    bias = torch.randn(2, HEADS, 5, 5)
    bias = bias.masked_fill(torch.ones(5, 5, dtype=torch.bool).triu(1), -math.inf)
    reference = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    read = (block.query, block.key, block.value)
    reference.in_proj_weight.copy_(torch.cat([part.weight for part in read]))
    assert reference.in_proj_bias is not None
    reference.in_proj_bias.copy_(torch.cat([part.bias for part in read]))
    reference.out_proj.load_state_dict(block.merge.state_dict())

    normed = block.norm_attention(x)
    mixed, _ = reference(normed, normed, normed, attn_mask=bias.flatten(0, 1))
    expected = x + mixed
    expected = expected + block.feed(block.norm_feed(expected))

    torch.testing.assert_close(block(x, bias), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_earlier_place_does_not_look_ahead() -> None:
    """What a block says of a place stays when later places change, their times included."""
    encoder = encoder_of(2)
    events = events_of(5)
    x = torch.randn(1, 6, WIDTH)
    changed_x = x.clone()
    changed_x[0, 4] += 1
    changed = events._replace(age_RL=events.age_RL - torch.tensor([[0.0, 0.0, 0.0, 0.0, 20.0]]))

    before = _through(encoder, x, events)
    after = _through(encoder, changed_x, changed)

    torch.testing.assert_close(before[0, :4], after[0, :4])
    assert not torch.allclose(before[0, 5], after[0, 5])


def _through(encoder: TransformerHistoryEncoder, x_RSD: Tensor, events: Events) -> Tensor:
    bias_RKSS = encoder.gap(events, x_RSD.shape[1])
    for block in encoder.blocks:
        x_RSD = block(x_RSD, bias_RKSS)
    return x_RSD


@torch.no_grad()
def test_at_first_neither_time_nor_distance_sways_attention() -> None:
    """Step 0 is what it was before there was a bias: a mask and nothing else."""
    found = fresh().gap(joined(hidden(1), events_of(3), dim=1), 5)

    assert set(found.unique().tolist()) == {-math.inf, 0.0}


@torch.no_grad()
def test_time_between_events_matters_beyond_their_ages() -> None:
    """With the ages' own embedding silent, the bias alone still tells near from far."""
    encoder = encoder_of(1)
    encoder.age.weight.zero_()
    events, request = events_of(4), request_of(1)
    apart = events._replace(age_RL=events.age_RL * torch.tensor([[64.0, 8.0, 1.0, 0.1]]))

    assert not torch.allclose(encoder(apart, request), encoder(events, request), atol=1e-4)


@torch.no_grad()
def test_order_matters_where_times_are_equal() -> None:
    encoder, request = encoder_of(1), request_of(1)
    events = events_of(4)._replace(age_RL=torch.ones(1, 4))
    swapped = places(events, [3, 1, 2, 0])

    assert not torch.allclose(encoder(swapped, request), encoder(events, request), atol=1e-4)


@torch.no_grad()
def test_the_first_answer_is_the_mean_of_the_items() -> None:
    encoder = fresh()
    # The constant parts are drawn at random, so that an empty history has a direction too.
    for constant in (encoder.out.bias, encoder.pool_query.bias):
        constant.zero_()
    events = joined(hidden(2), events_of(4), dim=1)

    found = encoder(events, request_of(1))

    # Of four events the second is a search.
    vectors = events.vector_RLD[0, 2:]
    torch.testing.assert_close(found[0], (vectors[0] + vectors[2] + vectors[3]) / 3)
