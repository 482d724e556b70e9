"""What goes with what: how likely each item is after those met, as counts of others tell it.

A network has to learn from thousands of steps what a table of co-occurrence knows at once; so the
match is told of such tables, and learns how far to trust them: of which events, how old, how far
back. A shopper's own behaviour is left out of the tables that training asks on his behalf, or they
would know his next item by heart.

Shape suffixes in this file: R = requests, V = items, P = events of a longer past, E = events of all
pasts, X = (request, item) pairs of what was met, K = neighbours of an item, W = different (request,
item) pairs that they add to, N = the same, as often as they do, T = tables, F = folds of owners,
beside all of them together.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from shelfwise.models.history_encoder import AGE_BUCKETS, age_bucket
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.models.requests import MetItems, MetPairs

RELATIONS = ("together", "next")  # what an item's neighbours are
_BACK_BUCKETS = 8  # the last event, the one before, then twice as far back each
# First guess of how much each relation adds: c of log(1 + c score), as a logarithm.
_FIRST_GAIN = (3.0, 3.0)
# First guess of how an event's say falls with each bucket further back, as a logarithm.
_FIRST_FADE = (0.0, -1.0)
_MOST_GAIN = 10.0
_MOST_INT32 = 2**31 - 1
_FEW_PLACES = 10  # for each neighbour named: up to there, looking at all is quicker


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


class _Asked(NamedTuple):
    """What the tables are asked for."""

    met: MetItems
    pairs: MetPairs
    fold_R: Tensor
    items: int


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
        asked = _Asked(met, MetPairs.of(met, items), fold_R, items)
        together, following = (
            self._told(relation, asked, tables) for relation in range(len(RELATIONS))
        )
        return (together + following).view(len(fold_R), items)

    def _told(self, relation: int, asked: _Asked, tables: NeighbourTables) -> Tensor:
        """``[R V]`` what one relation adds to each item's match."""
        pairs, requests = asked.pairs, len(asked.fold_R)
        much_X = self._attention(relation, asked.met, pairs)
        if RELATIONS[relation] == "next":  # a mean of chances; the other is a sum of evidence
            all_R = much_X.new_zeros(requests).index_add(0, pairs.request_X, much_X)
            much_X = much_X / all_R.clamp(min=1e-9)[pairs.request_X]
        row_X = asked.fold_R[pairs.request_X] * asked.items + pairs.item_X
        places = requests * asked.items
        number = torch.int32 if places <= _MOST_INT32 else torch.int64
        first_X = (pairs.request_X * asked.items).to(number)
        place_N = (first_X[:, None] + tables.item_TXK[relation][row_X]).flatten()
        told_N = (much_X[:, None] * tables.weight_TXK[relation][row_X]).flatten()
        gain = (LOGIT_UNIT * self.gain[relation]).clamp(max=_MOST_GAIN).exp()
        nothing = told_N.new_zeros(places)
        if places <= _FEW_PLACES * len(place_N):
            return (gain * nothing.index_add(0, place_N, told_N)).log1p()
        # Neighbours are a small share of so large a catalogue: all of it is not looked at.
        place_W, score_W = _sums_by_place(place_N, told_N, places)
        return nothing.index_add(0, place_W, (gain * score_W).log1p())

    def _attention(self, relation: int, met: MetItems, pairs: MetPairs) -> Tensor:
        """``[X]`` how much each item met counts: as its most telling event."""
        is_item_RP = met.item_RP >= 0
        # Newest last: 0 for the last item met, 1 for the one before.
        back_RP = is_item_RP.flip(1).cumsum(1).flip(1) - 1
        bucket_RP = (back_RP.clamp(min=0) + 1).log2().long().clamp(max=_BACK_BUCKETS - 1)
        when_RP = met.kind_RP * AGE_BUCKETS + age_bucket(met.age_RP)
        logit_RP = self.back[relation][bucket_RP] + self.kind_and_age[relation][when_RP]
        much_E = (LOGIT_UNIT * logit_RP[pairs.place_E]).clamp(max=20).exp()
        nothing_X = much_E.new_zeros(len(pairs.item_X))
        return nothing_X.scatter_reduce(0, pairs.pair_E, much_E, "amax")


def _sums_by_place(place_N: Tensor, value_N: Tensor, places: int) -> tuple[Tensor, Tensor]:
    """Each place once, and the sum of its values; quicker than sorting them."""
    number_N = torch.arange(len(place_N), device=place_N.device)
    # Whichever of a place's numbers is written last stands for it; no other entry is ever read.
    stands = torch.empty(places, dtype=torch.int64, device=place_N.device)
    place_N = place_N.long()
    stands[place_N] = number_N
    by_N = stands[place_N]
    is_first_N = by_N == number_N
    sum_of_N = (is_first_N.cumsum(0) - 1)[by_N]
    chosen_W = place_N[is_first_N]
    return chosen_W, value_N.new_zeros(len(chosen_W)).index_add(0, sum_of_N, value_N)
