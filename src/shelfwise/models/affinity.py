"""What a shopper did before, counted: how much there was, and how much of it of a candidate's kind.

The request's vector says which items the shopper likes; it does not say well how often the very
category or brand of a candidate came before, nor how much was done at all. Counts do, and cost next
to nothing.

Shape suffixes in this file: R = requests, P = events of the past, C = ways of grouping items
(category, brand), M = ways of counting events, K = kinds of behaviour, N = pairs of request and
item, S = figures of a pair.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from shelfwise.models.history_encoder import AGE_BUCKETS, age_bucket
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.schema.event import EventKind

GROUPINGS = 2  # by category, by brand
_COUNTINGS = 2  # all alike at first; and what shows a wish to have it
_WISHES = (EventKind.FAVOURITE, EventKind.CART, EventKind.PURCHASE)
_KINDS = tuple(EventKind)
FIGURES = 2 * GROUPINGS * _COUNTINGS + _COUNTINGS + len(_KINDS)
_FAINT = -0.2  # e^-2 of a wish: what a look counts as in the second way of counting
_LOOKS = (_KINDS.index(EventKind.VIEW), _KINDS.index(EventKind.CLICK))
_CART, _PURCHASE = _KINDS.index(EventKind.CART), _KINDS.index(EventKind.PURCHASE)
_SHRUNK_BY = 10.0  # items reacted to that the shop's rate counts as


class PastEvents(NamedTuple):
    """Events before each request."""

    group_RPC: Tensor  # int64 number of the item's group in each grouping, -1 none
    kind_RP: Tensor
    age_RP: Tensor  # hours
    is_item_RP: Tensor  # bool: False on searches and padding
    groups: int  # numbers of groups lie below it


class Affinity(nn.Module):
    """Counts of the past, in which kinds of behaviour weigh, by their age, what is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Embedding(len(_KINDS) * AGE_BUCKETS, _COUNTINGS)
        with torch.no_grad():
            self.weight.weight.zero_()
            for kind in set(_KINDS) - set(_WISHES):
                place = _KINDS.index(kind) * AGE_BUCKETS
                self.weight.weight[place : place + AGE_BUCKETS, 1] = _FAINT

    def forward(self, past: PastEvents, request_N: Tensor, group_NC: Tensor) -> Tensor:
        """``[N, S]`` figures of each pair.

        Logarithms of the past's weight in the candidate's group and its share of all the past's,
        for each grouping and way of counting; then logarithms of the whole weight, and of the plain
        number of each kind of behaviour.

        Args:
            past: what was done before each request.
            request_N: int64 row of the request.
            group_NC: int64 groups of the item, -1 none.
        """
        much_RPM = (LOGIT_UNIT * self.weight(_moment(past))).clamp(max=20).exp()
        much_RPM = much_RPM * past.is_item_RP[..., None]
        all_RM = much_RPM.sum(1)
        found = []
        for grouping in range(GROUPINGS):
            group_N = group_NC[:, grouping]
            same_NM = _sums(much_RPM, past.group_RPC[..., grouping], past.groups)[
                request_N, group_N.clamp(min=0)
            ]
            same_NM = same_NM * (group_N >= 0)[:, None]
            found += [same_NM.log1p(), same_NM / (all_RM[request_N] + 1)]
        found += [all_RM.log1p()[request_N], _counts(past)[request_N]]
        return torch.cat(found, dim=-1)


def bought_share(past: PastEvents, rate: Tensor) -> Tensor:
    """``[R]`` logarithm of the shopper's share of purchases over the shop's; 0 without a past.

    Of what he reacted to: looked at, or put into the cart where that is more.

    Args:
        past: what was done before each request.
        rate: the shop's share of purchases after clicks; his is shrunk towards it.
    """
    count_RK = _plain_counts(past)
    looked_R = count_RK[:, _LOOKS].sum(1)
    bought_R = count_RK[:, _PURCHASE]
    reacted_R = torch.stack([looked_R, count_RK[:, _CART], bought_R]).amax(0)
    return ((bought_R / rate + _SHRUNK_BY) / (reacted_R + _SHRUNK_BY)).log()


def _moment(past: PastEvents) -> Tensor:
    """``[R, P]`` number of each event's kind and age together."""
    return past.kind_RP * AGE_BUCKETS + age_bucket(past.age_RP)


def _sums(much_RPM: Tensor, group_RP: Tensor, groups: int) -> Tensor:
    """``[R, groups, M]`` weight of the past in each group."""
    request_X, place_X = (group_RP >= 0).nonzero(as_tuple=True)
    empty = much_RPM.new_zeros(len(group_RP), max(groups, 1), much_RPM.shape[-1])
    where = (request_X, group_RP[request_X, place_X])
    return empty.index_put(where, much_RPM[request_X, place_X], accumulate=True)


def _counts(past: PastEvents) -> Tensor:
    """``[R, K]`` logarithm of how often each kind of behaviour with an item came."""
    return _plain_counts(past).log1p()


def _plain_counts(past: PastEvents) -> Tensor:
    count_RK = past.age_RP.new_zeros(len(past.kind_RP), len(_KINDS))
    return count_RK.scatter_add(1, past.kind_RP, past.is_item_RP.to(count_RK.dtype))
