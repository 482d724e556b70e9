"""How much of another event an event attends to, by the time and the places between them.

As in TiSASRec (Li et al., 2020) and HSTU (Zhai et al., 2024, arXiv:2402.17152): what was done a
minute before belongs together more closely than what was done a month before, whoever did it.

Shape suffixes in this file: R = requests, L = events, S = L + 1 with the request, A = the newest
places, which alone are asked; K = heads, G = buckets.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from shelfwise.models.history_encoder import AGE_BUCKETS, PLACES, Events, age_bucket

_UNSEEN = AGE_BUCKETS  # the bucket of what may not be looked at


class RelativeBias(nn.Module):
    """What is added to attention logits; -inf on what may not be looked at.

    All blocks share it (as in T5). It is 0 at first, wherever a place may be looked at.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.time = nn.Parameter(torch.zeros(AGE_BUCKETS, heads))
        self.distance = nn.Parameter(torch.zeros(PLACES, heads))

    def forward(self, events: Events, asked: int) -> Tensor:
        """``[R, K, A, S]`` bias of the newest ``asked`` places towards all places.

        A place looks at itself and back, at events alone; the request is the last place, at age 0.
        """
        age_RS = torch.cat([events.age_RL, torch.zeros_like(events.age_RL[:, :1])], dim=1)
        here_R1 = torch.ones_like(events.valid_RL[:, :1])
        valid_RS = torch.cat([events.valid_RL, here_R1], dim=1)
        gap_RAS = age_bucket(age_RS[:, None, :] - age_RS[:, -asked:, None])
        gap_RAS = gap_RAS.masked_fill(~_visible(valid_RS, asked), _UNSEEN)
        never_1K = torch.full_like(self.time[:1], -math.inf)
        time_RKAS: Tensor = _Lookup.apply(torch.cat([self.time, never_1K]), gap_RAS)  # type: ignore[no-untyped-call]  # torch
        place_S = torch.arange(age_RS.shape[1], device=age_RS.device)
        step_AS = (place_S[-asked:, None] - place_S).clamp(0, PLACES - 1)
        return time_RKAS + self.distance[step_AS].permute(2, 0, 1)


def _visible(valid_RS: Tensor, asked: int) -> Tensor:
    """``[R, A, S]`` whether a place may look at another: not ahead of it, not at padding."""
    places = valid_RS.shape[1]
    behind_SS = torch.ones(places, places, dtype=torch.bool, device=valid_RS.device).tril()
    # Padding looks at itself, so that its softmax has something to divide by.
    itself_SS = torch.eye(places, dtype=torch.bool, device=valid_RS.device)
    return (behind_SS[-asked:] & valid_RS[:, None, :]) | itself_SS[-asked:]


class _Lookup(torch.autograd.Function):
    """``table_GK[bucket_RAS]`` with heads in front; torch's own way back is ten times slower.

    A table of 17 rows is looked up hundreds of thousands of times, and an embedding's gradient
    is added up one row at a time. Counting by bucket adds them in one pass for each head.
    """

    @staticmethod
    def forward(ctx: Any, table_GK: Tensor, bucket_RAS: Tensor) -> Tensor:
        ctx.save_for_backward(bucket_RAS)
        ctx.buckets = len(table_GK)
        flat_KN = table_GK.t().contiguous().index_select(1, bucket_RAS.flatten())
        return flat_KN.view(-1, *bucket_RAS.shape).transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, grad_RKAS: Tensor) -> tuple[Tensor, None]:
        (bucket_RAS,) = ctx.saved_tensors
        bucket_N = bucket_RAS.flatten()
        heads = [
            torch.bincount(bucket_N, weights=grad_RAS.flatten(), minlength=ctx.buckets)
            for grad_RAS in grad_RKAS.unbind(1)
        ]
        return torch.stack(heads, dim=1).to(grad_RKAS.dtype), None
