"""Who asks for a ranking, as tensors: past, words, place and moment.

Shape suffixes in this file: R = requests, L = events of a history, P = events of a longer past,
E = events of all pasts, X = different (request, item) pairs of what was met.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from shelfwise.models.config import FlatTextHistory, HistoryEncoderOptions, NoHistory
from shelfwise.schema.event import Surface

SURFACES = tuple(Surface)  # a request's surface is stored as its place in this tuple


class MetItems(NamedTuple):
    """Items met over a longer past than the history encoder reads; -1 stands for none."""

    item_RP: Tensor
    kind_RP: Tensor
    age_RP: Tensor  # hours


class MetPairs(NamedTuple):
    """Each item that a request has met, once; in order of requests, then items."""

    request_X: Tensor
    item_X: Tensor
    place_E: tuple[Tensor, Tensor]  # where in ``[R, P]`` each event stands
    pair_E: Tensor  # the pair that each event belongs to

    @classmethod
    def of(cls, met: MetItems, items: int) -> MetPairs:
        """The different pairs of what was met, of a catalogue of so many items."""
        request_E, place_E = (met.item_RP >= 0).nonzero(as_tuple=True)
        key_E = request_E * items + met.item_RP[request_E, place_E]
        key_X, pair_E = torch.unique(key_E, return_inverse=True)
        return cls(key_X // items, key_X % items, (request_E, place_E), pair_E)


class Requests(NamedTuple):
    """Who asks, where, with what words, after what behaviour; -1 stands for none."""

    met: MetItems

    item_RL: Tensor
    query_RL: Tensor
    kind_RL: Tensor
    age_RL: Tensor
    valid_RL: Tensor
    query_R: Tensor
    surface_R: Tensor
    moment_R: Tensor  # which of the catalogue's moments the request falls in
    fold_R: Tensor  # which tables of neighbours are asked: 0 all owners', else those without a fold


def as_read(requests: Requests, options: HistoryEncoderOptions) -> Requests:
    """The requests with as much of their past as the options let the network see."""
    is_item_RL = requests.item_RL >= 0
    match options:
        case NoHistory():
            nothing = requests.met._replace(item_RP=torch.full_like(requests.met.item_RP, -1))
            return _only(requests._replace(met=nothing), torch.zeros_like(is_item_RL))
        case FlatTextHistory():
            return requests if options.searches else _only(requests, is_item_RL)
        case _:
            read = requests if options.searches else _only(requests, is_item_RL)
            return read if options.events == "all" else _latest(read, options.events)


def _only(requests: Requests, keep_RL: Tensor) -> Requests:
    """Some of the events; what is left moves together, so that padding stays on the left."""
    order_RL = keep_RL.long().argsort(dim=1, stable=True)
    return requests._replace(
        item_RL=requests.item_RL.masked_fill(~keep_RL, -1).gather(1, order_RL),
        query_RL=requests.query_RL.masked_fill(~keep_RL, -1).gather(1, order_RL),
        kind_RL=requests.kind_RL.gather(1, order_RL),
        age_RL=requests.age_RL.gather(1, order_RL),
        valid_RL=(requests.valid_RL & keep_RL).gather(1, order_RL),
    )


def _latest(requests: Requests, events: int) -> Requests:
    """The newest stand on the right."""
    return requests._replace(
        item_RL=requests.item_RL[:, -events:],
        query_RL=requests.query_RL[:, -events:],
        kind_RL=requests.kind_RL[:, -events:],
        age_RL=requests.age_RL[:, -events:],
        valid_RL=requests.valid_RL[:, -events:],
    )
