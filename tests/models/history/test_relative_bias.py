from __future__ import annotations

import math

import pytest
import torch

from shelfwise.models.history.relative_bias import RelativeBias
from shelfwise.models.history_encoder import Events, age_bucket

from .small_events import WIDTH, events_of, hidden, joined

NONE = -math.inf


def padded_events() -> Events:
    """Padding, an event 30 hours old, and one 6 hours old."""
    return Events(
        vector_RLD=torch.zeros(1, 3, WIDTH),
        is_item_RL=torch.tensor([[False, True, True]]),
        kind_RL=torch.zeros(1, 3, dtype=torch.int64),
        age_RL=torch.tensor([[0.0, 30.0, 6.0]]),
        valid_RL=torch.tensor([[False, True, True]]),
    )


@torch.no_grad()
def test_by_hand() -> None:
    # The second event came 24 h after the first (bucket 8: 16 to 32 h), the request 30 h after it
    # (bucket 8 too) and 6 h after the second (bucket 6: 4 to 8 h). Itself: 0 h, bucket 0.
    bias = RelativeBias(heads=1)
    bias.time[:, 0] = torch.arange(16.0)
    bias.distance[:, 0] = torch.arange(64.0) * 100

    found = bias(padded_events(), 4)[0, 0]

    assert found[1:].tolist() == [
        [NONE, 0, NONE, NONE],
        [NONE, 108, 0, NONE],
        [NONE, 208, 106, 0],
    ]
    assert torch.equal(bias(padded_events(), 1)[0, 0], found[3:])


@torch.no_grad()
def test_at_first_it_is_a_mask_and_nothing_else() -> None:
    """Step 0 is what it was before there was a bias."""
    found = RelativeBias(heads=2)(joined(hidden(1), events_of(3), dim=1), 5)

    assert set(found.unique().tolist()) == {NONE, 0.0}
    assert torch.isfinite(found).any(-1).all()


@pytest.mark.parametrize("asked", [5, 1])
def test_gradient_is_that_of_a_plain_look_up(asked: int) -> None:
    events = joined(joined(hidden(1), events_of(3), dim=1), events_of(4, seed=1), dim=0)
    bias = RelativeBias(heads=3)
    torch.manual_seed(0)
    weight = torch.randn(2, 3, asked, 5)

    found = bias(events, asked)
    seen = torch.isfinite(found)
    (found[seen] * weight[seen]).sum().backward()

    time = bias.time.detach().clone().requires_grad_()
    age = torch.cat([events.age_RL, torch.zeros(2, 1)], dim=1)
    gap = age_bucket(age[:, None, :] - age[:, -asked:, None])
    plain = time[gap].permute(0, 3, 1, 2)
    (plain[seen] * weight[seen]).sum().backward()
    assert time.grad is not None
    assert time.grad.abs().sum() > 0
    torch.testing.assert_close(bias.time.grad, time.grad)
