"""What goes with what: how likely each item is after those met, as counts of others tell it.

A network has to learn from thousands of steps what a table of co-occurrence knows at once; so the
match is told of such tables, and learns how far to trust them: of which events, how old, how far
back. A shopper's own behaviour is left out of the tables that training asks on his behalf, or they
would know his next item by heart.

Shape suffixes in this file: R = requests, V = items, P = events of a longer past, X = (request,
item) pairs of what was met, K = neighbours of an item, T = tables, F = folds of owners, beside all
of them together.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from shelfwise.models.history_encoder import AGE_BUCKETS, age_bucket
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.models.requests import MetItems

RELATIONS = ("together", "next")  # what an item's neighbours are
_BACK_BUCKETS = 8  # the last event, the one before, then twice as far back each
# First guess of how much each relation adds: c of log(1 + c score), as a logarithm.
_FIRST_GAIN = (3.0, 3.0)
# First guess of how an event's say falls with each bucket further back, as a logarithm.
_FIRST_FADE = (0.0, -1.0)
_MOST_GAIN = 10.0


class NeighbourTables(NamedTuple):
    """The strongest neighbours of every item, one table above the other.

    Rows ``f V`` to ``(f + 1) V`` are of fold ``f``: 0 has learned from all owners, the others from
    those outside their fold.
    """

    item_TXK: Tensor  # int32 ``[T, F V, K]``
    weight_TXK: Tensor  # float32, at least 0; 0 where an item has fewer

    def to(self, device: torch.device) -> NeighbourTables:
        """The same on a device."""
        return NeighbourTables(self.item_TXK.to(device), self.weight_TXK.to(device))


class Neighbours(nn.Module):
    """Logits of all items from the neighbours of those met."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        relations = len(RELATIONS)
        self.gain = nn.Parameter(torch.tensor(_FIRST_GAIN) / LOGIT_UNIT)
        fade_TB = torch.tensor(_FIRST_FADE)[:, None] * torch.arange(_BACK_BUCKETS)
        self.back = nn.Parameter(fade_TB / LOGIT_UNIT)
        self.kind_and_age = nn.Parameter(torch.zeros(relations, kinds * AGE_BUCKETS))

    def forward(self, met: MetItems, fold_R: Tensor, tables: NeighbourTables, items: int) -> Tensor:
        """``[R, V]`` what the neighbours of all that was met add to each item's match."""
        logit_RV = met.age_RP.new_zeros(len(fold_R), items)
        for relation in range(len(RELATIONS)):
            logit_RV = logit_RV + self._told(relation, met, fold_R, tables, items)
        return logit_RV

    def _told(
        self, relation: int, met: MetItems, fold_R: Tensor, tables: NeighbourTables, items: int
    ) -> Tensor:
        much_RV = self._attention(relation, met, items)
        if RELATIONS[relation] == "next":  # a mean of chances; the other is a sum of evidence
            much_RV = much_RV / much_RV.sum(1, keepdim=True).clamp(min=1e-9)
        request_X, met_X = much_RV.detach().nonzero(as_tuple=True)
        row_X = fold_R[request_X] * items + met_X
        item_XK = tables.item_TXK[relation][row_X].long()
        told_XK = much_RV[request_X, met_X][:, None] * tables.weight_TXK[relation][row_X]
        place_XK = request_X[:, None] * items + item_XK
        score_RV = much_RV.new_zeros(len(fold_R) * items).index_add(
            0, place_XK.reshape(-1), told_XK.reshape(-1)
        )
        gain = (LOGIT_UNIT * self.gain[relation]).clamp(max=_MOST_GAIN).exp()
        return (gain * score_RV).log1p().view(len(fold_R), items)

    def _attention(self, relation: int, met: MetItems, items: int) -> Tensor:
        """``[R, V]`` how much each item met counts: as its most telling event; 0 if not met."""
        is_item_RP = met.item_RP >= 0
        # Newest last: 0 for the last item met, 1 for the one before.
        back_RP = is_item_RP.flip(1).cumsum(1).flip(1) - 1
        bucket_RP = (back_RP.clamp(min=0) + 1).log2().long().clamp(max=_BACK_BUCKETS - 1)
        when_RP = met.kind_RP * AGE_BUCKETS + age_bucket(met.age_RP)
        logit_RP = self.back[relation][bucket_RP] + self.kind_and_age[relation][when_RP]
        much_RP = (LOGIT_UNIT * logit_RP).clamp(max=20).exp() * is_item_RP
        nothing_RV = much_RP.new_zeros(len(much_RP), items)
        return nothing_RV.scatter_reduce(1, met.item_RP.clamp(min=0), much_RP, "amax")
