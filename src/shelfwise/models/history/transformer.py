"""A causal Transformer over what a user did, read out at the request that asks for a ranking.

The request itself (where it is, what was typed) is the last token of the sequence, so an empty
history needs no special case. Self-attention as in SASRec (Kang and McAuley, 2018,
arXiv:1808.09781), with the kind of behaviour, its age and its place from the end added to every
event, and a bias in attention for the time between two of them.

Only the request's state is read. So the last block works out that one place: keys and values of
all, but one query and one feed-forward step.

Shape suffixes in this file: R = requests, L = events, S = L + 1 with the request, A = the newest
places, which alone are asked: S, or 1 in the last block; D = width, K = heads, E = width of a head,
M = kinds and ages of events.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shelfwise.models.config import TransformerHistory
from shelfwise.models.history.relative_bias import RelativeBias
from shelfwise.models.history_encoder import (
    AGE_BUCKETS,
    PLACES,
    Events,
    moment,
    places_from_end,
    weighted_mean,
)


class TransformerHistoryEncoder(nn.Module):
    """Request vector = Transformer state + attention-weighted mean of the items met."""

    def __init__(self, width: int, kinds: int, options: TransformerHistory) -> None:
        super().__init__()
        self.kind = nn.Embedding(kinds, width)
        self.age = nn.Embedding(AGE_BUCKETS, width)
        self.place = nn.Embedding(PLACES, width)
        self.gap = RelativeBias(options.heads)
        self.blocks = nn.ModuleList(
            Block(width, options.heads, options.dropout) for _ in range(options.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, width)
        self.pool_query = nn.Linear(width, width)
        # Without a bias: it would add the same to the logits of all events.
        self.pool_key = nn.Linear(width, width, bias=False)
        self.dropout = nn.Dropout(options.dropout)
        for embedding in (self.kind, self.age, self.place):
            nn.init.normal_(embedding.weight, std=0.02)
        # The first answer is the plain mean of the items met; the Transformer learns corrections.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.pool_query.weight)

    def forward(self, events: Events, request_RD: Tensor) -> Tensor:
        """``[R, D]`` what each request wants; see `HistoryEncoder`."""
        told_RLD = events.vector_RLD + self._circumstances(events)
        state_RD = self._state(events, told_RLD, request_RD)
        score_RL = torch.einsum(
            "rd,rld->rl", self.pool_query(state_RD), self.pool_key(told_RLD)
        ) / math.sqrt(state_RD.shape[-1])
        liked_RD = weighted_mean(events.vector_RLD, score_RL, events.is_item_RL)
        corrected_RD: Tensor = self.out(state_RD) + liked_RD
        return corrected_RD

    def _circumstances(self, events: Events) -> Tensor:
        """``[R, L, D]`` how, when and in which order it was done."""
        width = events.vector_RLD.shape[-1]
        # One look into a table of all pairs, for two into tables of their own.
        moment_MD = (self.kind.weight[:, None] + self.age.weight).view(-1, width)
        place_L = places_from_end(events.valid_RL)
        told_RLD: Tensor = F.embedding(moment(events), moment_MD) + self.place(place_L)
        return told_RLD

    def _state(self, events: Events, told_RLD: Tensor, request_RD: Tensor) -> Tensor:
        """``[R, D]`` what the Transformer makes of the request after its events."""
        x_RSD = self.dropout(torch.cat([told_RLD, request_RD[:, None]], dim=1))
        places, last = x_RSD.shape[1], len(self.blocks) - 1
        asked = places if last else 1
        bias_RKAS = self.gap(events, asked)
        for number, block in enumerate(self.blocks):
            x_RSD = block(x_RSD, bias_RKAS if number < last else bias_RKAS[:, :, -1:])
        state_RD: Tensor = self.norm(x_RSD[:, -1])
        return state_RD


class Block(nn.Module):
    """Pre-norm self-attention and feed-forward."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.merge = nn.Linear(width, width)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_RSD: Tensor, bias_RKAS: Tensor) -> Tensor:
        """``[R, A, D]`` the newest A places after this block; A is the bias' own."""
        asked = bias_RKAS.shape[2]
        normed_RSD = self.norm_attention(x_RSD)
        q_RKAE = self._by_head(self.query(normed_RSD[:, -asked:]))
        k_RKSE, v_RKSE = self._by_head(self.key(normed_RSD)), self._by_head(self.value(normed_RSD))
        # Written out: asked for a bias' gradient, torch's fused attention would do just this.
        score_RKAS = (q_RKAE / math.sqrt(q_RKAE.shape[-1])) @ k_RKSE.transpose(2, 3) + bias_RKAS
        mixed_RKAE = torch.softmax(score_RKAS, dim=-1).to(v_RKSE.dtype) @ v_RKSE
        mixed_RAD = mixed_RKAE.transpose(1, 2).flatten(2)
        x_RAD = x_RSD[:, -asked:] + self.dropout(self.merge(mixed_RAD))
        fed_RAD: Tensor = x_RAD + self.dropout(self.feed(self.norm_feed(x_RAD)))
        return fed_RAD

    def _by_head(self, x: Tensor) -> Tensor:
        """``[R, places, D]`` as ``[R, K, places, E]``."""
        return x.view(*x.shape[:-1], self.heads, -1).transpose(1, 2)
