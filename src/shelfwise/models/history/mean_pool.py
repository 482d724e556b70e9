"""The mean of what a user did, weighted by kind and age: the least a history encoder can be.

Shape suffixes in this file: R = requests, L = events, D = width.
"""

from __future__ import annotations

from torch import Tensor, nn

from shelfwise.models.history.request_alone import RequestAlone
from shelfwise.models.history_encoder import AGE_BUCKETS, Events, moment, weighted_mean


class MeanPool(nn.Module):
    """Request vector = weighted mean of event vectors + what the request says alone.

    It does not see in which order events came, but by their age.
    """

    def __init__(self, width: int, kinds: int) -> None:
        super().__init__()
        self.weight = nn.Embedding(kinds * AGE_BUCKETS, 1)  # logits: at first a plain mean
        self.alone = RequestAlone(width)
        nn.init.zeros_(self.weight.weight)

    def forward(self, events: Events, request_RD: Tensor) -> Tensor:
        """``[R, D]`` what each request wants; see `HistoryEncoder`."""
        logit_RL = self.weight(moment(events)).squeeze(-1)
        met_RD = weighted_mean(events.vector_RLD, logit_RL, events.valid_RL)
        wanted_RD: Tensor = met_RD + self.alone(events, request_RD)
        return wanted_RD
