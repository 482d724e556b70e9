from __future__ import annotations

import torch

from shelfwise.models.history.mean_pool import MeanPool
from shelfwise.models.history_encoder import AGE_BUCKETS, Events

from .small_events import KINDS, WIDTH, events_of, hidden, joined, request_of


@torch.no_grad()
def test_at_first_a_plain_mean_and_a_direction_for_everybody() -> None:
    torch.manual_seed(0)
    encoder = MeanPool(WIDTH, KINDS)
    events = joined(hidden(2), events_of(4), dim=1)

    found = encoder(events, request_of(1))

    expected = events.vector_RLD[0, 2:].mean(0) + encoder.alone.out.bias
    torch.testing.assert_close(found[0], expected)


@torch.no_grad()
def test_kind_and_age_weigh_by_hand() -> None:
    # Kind 1 of 5 hours (bucket 6) has logit log 3, all else 0: weights 3/4 and 1/4.
    encoder = MeanPool(WIDTH, KINDS)
    encoder.alone.out.bias.zero_()
    encoder.weight.weight[1 * AGE_BUCKETS + 6] = 3.0
    encoder.weight.weight.clamp_(min=1).log_()
    events = Events(
        vector_RLD=torch.stack([torch.full((WIDTH,), 4.0), torch.full((WIDTH,), 8.0)])[None],
        is_item_RL=torch.tensor([[True, False]]),
        kind_RL=torch.tensor([[1, 1]]),
        age_RL=torch.tensor([[5.0, 0.5]]),
        valid_RL=torch.ones(1, 2, dtype=torch.bool),
    )

    found = encoder(events, request_of(1))

    torch.testing.assert_close(found, torch.full((1, WIDTH), 4 * 3 / 4 + 8 / 4))
