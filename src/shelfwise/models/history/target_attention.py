"""Attention of the request over what was done before it, after DIN (Zhou et al., 2018,
arXiv:1706.06978).

DIN pools a history anew for every candidate. Retrieval needs one vector for all of them, so here
the target is the request: its surface and its words. (The heads above attend for each candidate,
whatever encoder stands here.)

Shape suffixes in this file: R = requests, L = events, D = width, H = hidden units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shelfwise.models.config import TargetAttentionHistory
from shelfwise.models.history.request_alone import RequestAlone
from shelfwise.models.history_encoder import AGE_BUCKETS, Events, moment, weighted_mean


class TargetAttention(nn.Module):
    """Request vector = events weighted by what the request asks for + the request alone.

    The weight of an event is a small network of its vector, the request's and their product, as
    DIN's activation unit. Unlike DIN's, weights add up to 1: only a direction comes of them.
    """

    def __init__(self, width: int, kinds: int, options: TargetAttentionHistory) -> None:
        super().__init__()
        self.moment = nn.Embedding(kinds * AGE_BUCKETS, options.hidden)
        self.event = nn.Linear(width, options.hidden)
        self.request = nn.Linear(width, options.hidden, bias=False)
        self.product = nn.Linear(width, options.hidden, bias=False)
        self.score = nn.Linear(options.hidden, 1, bias=False)
        self.alone = RequestAlone(width)
        nn.init.normal_(self.moment.weight, std=0.02)
        nn.init.zeros_(self.score.weight)  # at first a plain mean

    def forward(self, events: Events, request_RD: Tensor) -> Tensor:
        """``[R, D]`` what each request wants; see `HistoryEncoder`."""
        # Entries of a product of unit vectors are near 1/D; scaled up, they are as an event's own.
        product_RLD = events.vector_RLD * request_RD[:, None] * request_RD.shape[-1] ** 0.5
        hidden_RLH = (
            self.event(events.vector_RLD)
            + self.moment(moment(events))
            + self.request(request_RD)[:, None]
            + self.product(product_RLD)
        )
        logit_RL = self.score(torch.relu(hidden_RLH)).squeeze(-1)
        met_RD = weighted_mean(events.vector_RLD, logit_RL, events.valid_RL)
        wanted_RD: Tensor = met_RD + self.alone(events, request_RD)
        return wanted_RD
