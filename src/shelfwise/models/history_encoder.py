"""A causal Transformer over what a user did, read out at the request that asks for a ranking.

The request itself (where it is, what was typed) is the last token of the sequence, so an empty
history needs no special case. Self-attention as in SASRec (Kang and McAuley, 2018,
arXiv:1808.09781), with the kind of behaviour, its age and its place from the end added to every
event.

Shape suffixes in this file: R = requests, L = events, S = L + 1 with the request, D = width.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shelfwise.models.config import HistoryEncoderOptions

AGE_BUCKETS = 16  # bucket b holds ages from 2^(b-4) to 2^(b-3) hours; the last is open


PLACES = 64  # events told apart by how many came after them; all earlier ones share the last


class Events(NamedTuple):
    """The events of each request, newest last, padded on the left."""

    vector_RLD: Tensor  # item or query vector of the event
    is_item_RL: Tensor  # bool: False on searches and padding
    kind_RL: Tensor  # int64
    age_RL: Tensor  # float, hours
    valid_RL: Tensor  # bool: False on padding


class HistoryEncoder(nn.Module):
    """Request vector = Transformer state + attention-weighted mean of the items met."""

    def __init__(self, width: int, kinds: int, options: HistoryEncoderOptions) -> None:
        super().__init__()
        self.kind = nn.Embedding(kinds, width)
        self.age = nn.Embedding(AGE_BUCKETS, width)
        self.place = nn.Embedding(PLACES, width)
        self.blocks = nn.ModuleList(
            _Block(width, options.heads, options.dropout) for _ in range(options.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, width)
        self.pool_query = nn.Linear(width, width)
        self.pool_key = nn.Linear(width, width)
        self.dropout = nn.Dropout(options.dropout)
        for embedding in (self.kind, self.age, self.place):
            nn.init.normal_(embedding.weight, std=0.02)
        # The first answer is the plain mean of the items met; the Transformer learns corrections.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.pool_query.weight)

    def forward(self, events: Events, request_RD: Tensor) -> Tensor:
        """``[R, D]`` what each request wants, in the space of item vectors.

        Args:
            events: what was done before each request.
            request_RD: vector of the request itself: its surface and query.
        """
        told_RLD = (
            events.vector_RLD
            + self.kind(events.kind_RL)
            + self.age(age_bucket(events.age_RL))
            + self.place(places_from_end(events.kind_RL))
        )
        x_RSD = self.dropout(torch.cat([told_RLD, request_RD[:, None]], dim=1))
        here_R1 = torch.ones_like(events.valid_RL[:, :1])
        allowed_RSS = _causal(torch.cat([events.valid_RL, here_R1], dim=1))
        for block in self.blocks:
            x_RSD = block(x_RSD, allowed_RSS)
        state_RD = self.norm(x_RSD[:, -1])
        corrected_RD: Tensor = self.out(state_RD) + self._pool(events, told_RLD, state_RD)
        return corrected_RD

    def _pool(self, events: Events, told_RLD: Tensor, state_RD: Tensor) -> Tensor:
        """``[R, D]`` mean of item vectors, weighted by the state's interest in each event."""
        score_RL = torch.einsum(
            "rd,rld->rl", self.pool_query(state_RD), self.pool_key(told_RLD)
        ) / math.sqrt(state_RD.shape[-1])
        # A large negative number, not -inf: a history without items must give 0, not nan.
        weight_RL = F.softmax(score_RL.float().masked_fill(~events.is_item_RL, -1e9), dim=-1)
        weight_RL = weight_RL * events.is_item_RL
        return torch.einsum("rl,rld->rd", weight_RL.to(events.vector_RLD.dtype), events.vector_RLD)


def age_bucket(age: Tensor) -> Tensor:
    """Place of an age in hours on a scale of doublings, from a few minutes to half a year."""
    return (age.clamp(min=2.0**-4).log2() + 4).floor().long().clamp(0, AGE_BUCKETS - 1)


def places_from_end(like_RL: Tensor) -> Tensor:
    """``[L]`` 0 for the newest event, 1 for the one before, ...; time stamps may all be equal."""
    length = like_RL.shape[1]
    return torch.arange(length - 1, -1, -1, device=like_RL.device).clamp(max=PLACES - 1)


def _causal(valid_RS: Tensor) -> Tensor:
    """``[R, S, S]`` whether place s may look at place t: not ahead of it, not at padding."""
    places = valid_RS.shape[1]
    behind_SS = torch.ones(places, places, dtype=torch.bool, device=valid_RS.device).tril()
    # Padding looks at itself, so that its softmax has something to divide by.
    itself_SS = torch.eye(places, dtype=torch.bool, device=valid_RS.device)
    return (behind_SS & valid_RS[:, None, :]) | itself_SS


class _Block(nn.Module):
    """Pre-norm self-attention and feed-forward."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_RSD: Tensor, allowed_RSS: Tensor) -> Tensor:
        requests, places, width = x_RSD.shape
        split = (requests, places, 3, self.heads, width // self.heads)
        q, k, v = self.project(self.norm_attention(x_RSD)).view(split).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed_RSS[:, None])
        x_RSD = x_RSD + self.dropout(self.merge(mixed.transpose(1, 2).reshape(x_RSD.shape)))
        fed: Tensor = self.dropout(self.feed(self.norm_feed(x_RSD)))
        return x_RSD + fed
