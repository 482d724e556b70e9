from __future__ import annotations

import torch

from shelfwise.models.config import TargetAttentionHistory
from shelfwise.models.history.target_attention import TargetAttention

from .small_events import KINDS, WIDTH, events_of, hidden, joined, request_of


def fresh() -> TargetAttention:
    torch.manual_seed(0)
    return TargetAttention(WIDTH, KINDS, TargetAttentionHistory(hidden=1))


@torch.no_grad()
def test_at_first_a_plain_mean() -> None:
    encoder = fresh()
    events = joined(hidden(2), events_of(4), dim=1)

    found = encoder(events, request_of(1))

    torch.testing.assert_close(found[0], events.vector_RLD[0, 2:].mean(0) + encoder.alone.out.bias)


@torch.no_grad()
def test_what_is_asked_for_decides_by_hand() -> None:
    # One hidden unit that reads only the product of event and request. Events e1 (first axis) and
    # e2 (second axis); a request of length 1 along the first axis has product sum 1 with e1 and 0
    # with e2. Products are scaled by sqrt(8); a weight of log(3) / sqrt(8) makes logits log 3 and
    # 0, and weights 3/4 and 1/4.
    encoder = fresh()
    for parameter in encoder.parameters():
        parameter.zero_()
    encoder.product.weight.fill_(torch.tensor(3.0).log() / WIDTH**0.5)
    encoder.score.weight.fill_(1.0)
    events = events_of(2)._replace(vector_RLD=torch.eye(WIDTH)[None, :2])

    found = encoder(events, torch.eye(WIDTH)[:1])

    expected = torch.zeros(1, WIDTH)
    expected[0, :2] = torch.tensor([3 / 4, 1 / 4])
    torch.testing.assert_close(found, expected)
