"""How much likelier an item is for having been met before.

Every earlier meeting makes the next likelier, by its kind and age, and they add up as the
intensities of a self-exciting process (Hawkes, 1971): ``power log(1 + sum of exp(learned))``. Some
items are taken again and again, others once: that their trend tells.

Shape suffixes in this file: R = requests, V = items, P = events of a longer past, K = moments, G =
figures of a trend, N = (request, item) pairs, X = (request, event) pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shelfwise.models.history_encoder import AGE_BUCKETS, age_bucket
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.models.requests import MetItems

# First guess of how many times its chance a meeting adds to an item's, as a logarithm.
_FIRST_EXCITEMENT = 1.0


class Repeats(nn.Module):
    """Logits of the items that a request has met before; 0 for all others."""

    def __init__(self, kinds: int, trend: int) -> None:
        super().__init__()
        self.excitement = nn.Embedding(kinds * AGE_BUCKETS, 1)
        nn.init.zeros_(self.excitement.weight)
        self.trend = nn.Parameter(torch.zeros(trend))
        self.power = nn.Parameter(torch.ones(()))
        # What goes with an item's like says less of the item itself, once it was met.
        self.near = nn.Parameter(torch.zeros(()))

    def forward(
        self, met: MetItems, trend_KVG: Tensor, moment_R: Tensor, near_RV: Tensor | None
    ) -> Tensor:
        """``[R, V]``; ``near_RV`` is what the match is told of neighbours, if it is."""
        request_X, place_X = (met.item_RP >= 0).nonzero(as_tuple=True)
        item_X = met.item_RP[request_X, place_X]
        much_RV = met.age_RP.new_zeros(len(met.item_RP), trend_KVG.shape[1])
        much_X = self._excited(met)[request_X, place_X]
        much_RV = much_RV.index_put((request_X, item_X), much_X, accumulate=True)
        again_RV = (trend_KVG @ self.trend)[moment_R]
        if near_RV is not None:
            again_RV = again_RV + LOGIT_UNIT * self.near * near_RV.detach()
        return self.power * much_RV.log1p() + again_RV * (much_RV > 0)

    def of_pairs(
        self,
        met: MetItems,
        pairs: tuple[Tensor, Tensor],
        trend_NG: Tensor,
        near_N: Tensor | None,
    ) -> Tensor:
        """``[N]`` the same of some pairs of request and item."""
        request_N, item_N = pairs
        same_NP = met.item_RP[request_N] == item_N[:, None]
        much_N = (self._excited(met)[request_N] * same_NP).sum(-1)
        again_N = trend_NG @ self.trend
        if near_N is not None:
            again_N = again_N + LOGIT_UNIT * self.near * near_N.detach()
        return self.power * much_N.log1p() + again_N * (much_N > 0)

    def _excited(self, met: MetItems) -> Tensor:
        """``[R, P]`` how much likelier each meeting makes the next of the same item."""
        logit_RP: Tensor = self.excitement(met.kind_RP * AGE_BUCKETS + age_bucket(met.age_RP))
        return (LOGIT_UNIT * logit_RP.squeeze(-1) + _FIRST_EXCITEMENT).clamp(max=20).exp()
