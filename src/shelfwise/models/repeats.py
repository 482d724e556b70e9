"""How much likelier an item is for having been met before.

Every earlier meeting makes the next likelier, by its kind and age, and they add up as the
intensities of a self-exciting process (Hawkes, 1971): ``power log(1 + sum of exp(learned))``. Some
items are taken again and again, others once: that their trend tells.

Shape suffixes in this file: R = requests, V = items, P = events of a longer past, K = moments, G =
figures of a trend, N = (request, item) pairs, E = events of all pasts, X = different
(request, item) pairs of what was met.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shelfwise.models.history_encoder import AGE_BUCKETS, age_bucket
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.models.requests import MetItems, MetPairs

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
        pairs = MetPairs.of(met, trend_KVG.shape[1])
        at = (pairs.request_X, pairs.item_X)
        much_E = self._excited(met)[pairs.place_E]
        much_X = much_E.new_zeros(len(pairs.item_X)).index_add(0, pairs.pair_E, much_E)
        again_X = trend_KVG[moment_R[pairs.request_X], pairs.item_X] @ self.trend
        if near_RV is not None:
            again_X = again_X + LOGIT_UNIT * self.near * near_RV.detach()[at]
        nothing_RV = much_X.new_zeros(len(met.item_RP), trend_KVG.shape[1])
        return nothing_RV.index_put_(at, self.power * much_X.log1p() + again_X)

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
