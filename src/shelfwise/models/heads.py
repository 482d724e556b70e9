"""From a request and an item to the probabilities of a click and of a purchase after it.

Experts feed both heads, shared or of each task's own (see `experts`); trained over the entire space
they are ESMM (Ma et al., 2018, arXiv:1804.07931). They are told what the request wants, what of the
shopper's history resembles the item (target attention as in DIN, Zhou et al., 2018,
arXiv:1706.06978), and how the item's price compares. The position an item was shown at has its own
additive tower, left out when serving: what it explains in training is examination, not worth (as in
PAL, Guo et al., 2019).

Shape suffixes in this file: N = (request, item) pairs, R = requests, P = pairs of the request that
has most, L = events, D = width, F = numbers of an item, S = single figures of a pair, K = kinds of
behaviour, T = tasks, H = width of what a task reads.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shelfwise.models.config import HeadOptions
from shelfwise.models.experts import experts_of
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.schema.event import EventKind

TASKS = ("click", "convert")  # in the order in which experts answer
POSITIONS = 64  # places told apart; 0 stands for unknown, the last for all beyond
_SURFACE_WIDTH = 8
# Cosine, match, taken before, shopper's share of purchases, nearest past item, history length,
# price gap and its size.
_FIGURES = 8


class Past(NamedTuple):
    """The shopper's own items, as `attend` compares them with a candidate."""

    item_RLD: Tensor  # unit vectors
    number_RLF: Tensor
    kind_RL: Tensor  # int64
    weight_RL: Tensor  # learned logit of the event's kind and age
    is_item_RL: Tensor  # bool


class PairFeatures(NamedTuple):
    """What the heads know of a request and an item."""

    request_ND: Tensor
    item_ND: Tensor
    query_ND: Tensor  # zeros where nothing was typed
    number_NF: Tensor
    text_cosine_N: Tensor  # of query and item text; 0 where nothing was typed
    match_N: Tensor  # the retrieval logit
    repeat_N: Tensor  # the part of it that comes from having taken the item before
    own_rate_NT: Tensor  # log of the item's click and conversion rate over the shop's; 0 average
    shopper_rate_N: Tensor  # log of the shopper's conversion rate over the shop's; 0 average
    request_N: Tensor  # int64 row of the request
    surface_N: Tensor  # int64


class ClickConvert(NamedTuple):
    """Logits of P(click | shown) and P(purchase | click)."""

    click_N: Tensor
    convert_N: Tensor


class Attended(NamedTuple):
    """What of a shopper's history resembles a candidate."""

    item_ND: Tensor  # mean of past items, those nearest to the candidate weighing most
    number_NF: Tensor  # mean of their numbers
    kind_NK: Tensor  # how much of the mean is of each kind of behaviour; zeros without a past
    nearest_N: Tensor  # cosine to the nearest of them; 0 without a past
    length_N: Tensor  # past items


class ClickConvertHeads(nn.Module):
    """Shared or gated experts, one linear head per task, an additive tower for position."""

    convert_rate: Tensor  # () of the shop, as it was told to `start_from`

    def __init__(self, width: int, numbers: int, surfaces: int, options: HeadOptions) -> None:
        super().__init__()
        self.surface = nn.Embedding(surfaces, _SURFACE_WIDTH)
        inputs = 4 * width + numbers + _FIGURES + len(EventKind) + _SURFACE_WIDTH
        self.bottom = experts_of(inputs, len(TASKS), options)
        # What figures say by themselves, in proportion (Wide & Deep, Cheng et al., 2016,
        # arXiv:1606.07792); at first that an item is clicked and bought as it has been,
        # and that a shopper buys as he has.
        self.wide = nn.Linear(numbers + _FIGURES + len(EventKind), len(TASKS), bias=False)
        self.own_rate = nn.Parameter(torch.ones(len(TASKS)))
        self.shopper_rate = nn.Parameter(torch.ones(()))
        self.register_buffer("convert_rate", torch.tensor(0.5))
        nn.init.zeros_(self.wide.weight)
        self.click = nn.Linear(options.hidden, 1)
        self.convert = nn.Linear(options.hidden, 1)
        self.position = nn.Embedding(surfaces * POSITIONS, 1)
        self.sharpness = nn.Parameter(torch.tensor(8.0))
        nn.init.zeros_(self.position.weight)

    def start_from(self, click_rate: float, convert_rate: float) -> None:
        """Let the first guess be the log's own rates, so that no step is spent on finding them."""
        with torch.no_grad():
            for head, rate in ((self.click, click_rate), (self.convert, convert_rate)):
                known = torch.tensor(min(max(rate, 1e-4), 1 - 1e-4))
                head.bias.fill_(torch.logit(known))
            self.convert_rate.copy_(known)

    def start_places(self, shift_SK: Tensor, usual: float, *, fixed: bool) -> None:
        """Let the position tower begin at, or stay with, a curve measured beforehand.

        Args:
            shift_SK: ``[surfaces, POSITIONS]`` logit of a click at each place less the first's.
            usual: its mean over impressions, which the click head makes up for: its own start is
                the rate over all places, and it is to speak of the first.
            fixed: the tower does not learn.
        """
        with torch.no_grad():
            self.position.weight.copy_(shift_SK.reshape(-1, 1))
            self.click.bias.sub_(usual)
        self.position.weight.requires_grad_(not fixed)

    def forward(self, pair: PairFeatures, past: Past, position_N: Tensor | None) -> ClickConvert:
        """Logits of each pair.

        Args:
            pair: what is known of request and item.
            past: the items of each request's history.
            position_N: int64 place shown at, 1 the first, 0 unknown; None when serving, where each
                item is judged as if it stood first.
        """
        near = attend(pair, past, self.sharpness)
        gap_N = (pair.number_NF[:, 0] - near.number_NF[:, 0]) * (near.length_N > 0)
        figures_NS = torch.stack(
            [
                pair.text_cosine_N,
                pair.match_N / 10,
                pair.repeat_N,
                pair.shopper_rate_N,
                near.nearest_N,
                near.length_N.log1p() / 3,
                gap_N,
                gap_N.abs(),
            ],
            dim=-1,
        )
        figures_NF = torch.cat([pair.number_NF, figures_NS, near.kind_NK], dim=-1)
        inputs = [
            pair.item_ND,
            _alike(pair.request_ND, pair.item_ND),
            _alike(pair.query_ND, pair.item_ND),
            _alike(near.item_ND, pair.item_ND),
            figures_NF,
            self.surface(pair.surface_N),
        ]
        for_click_NH, for_convert_NH = self.bottom(torch.cat(inputs, dim=-1))
        wide_NT = LOGIT_UNIT * self.wide(figures_NF) + self.own_rate * pair.own_rate_NT
        return ClickConvert(
            click_N=self.click(for_click_NH).squeeze(-1)
            + wide_NT[:, 0]
            + self.examined(pair.surface_N, position_N),
            convert_N=self.convert(for_convert_NH).squeeze(-1)
            + wide_NT[:, 1]
            + self.shopper_rate * pair.shopper_rate_N,
        )

    def examined(self, surface_N: Tensor, position_N: Tensor | None) -> Tensor:
        """``[N]`` what the place shown at adds to the click's logit; None: the first place."""
        place_N = torch.ones_like(surface_N) if position_N is None else position_N
        seen_N1: Tensor = self.position(surface_N * POSITIONS + place_N.clamp(0, POSITIONS - 1))
        return seen_N1.squeeze(-1)


def _alike(one_ND: Tensor, other_ND: Tensor) -> Tensor:
    # Entries of a product of unit vectors are near 1/D; scaled up, they are near 1.
    scaled_ND: Tensor = one_ND * other_ND * one_ND.shape[-1] ** 0.5
    return scaled_ND


def attend(pair: PairFeatures, past: Past, sharpness: Tensor) -> Attended:
    """Compare every candidate with the items of its own request's history.

    Pairs are laid out as ``[R, P]``, so that no history is copied for each of its candidates.
    """
    place_N = place_within(pair.request_N)
    requests = len(past.item_RLD)
    most = int(place_N.max()) + 1 if len(place_N) else 0
    item_RPD = pair.item_ND.new_zeros(requests, most, pair.item_ND.shape[-1])
    item_RPD = item_RPD.index_put((pair.request_N, place_N), pair.item_ND)
    cosine_RPL = item_RPD @ past.item_RLD.transpose(1, 2)
    hidden_R1L = ~past.is_item_RL[:, None]
    logit_RPL = (sharpness * cosine_RPL + past.weight_RL[:, None]).masked_fill(hidden_R1L, -1e9)
    weight_RPL = F.softmax(logit_RPL, dim=-1) * past.is_item_RL[:, None]
    nearest_RP = cosine_RPL.masked_fill(hidden_R1L, -1).amax(dim=-1)
    length_R = past.is_item_RL.sum(-1).to(nearest_RP.dtype)
    nearest_RP = nearest_RP * (length_R > 0)[:, None]
    at = (pair.request_N, place_N)
    return Attended(
        item_ND=(weight_RPL @ past.item_RLD)[at],
        number_NF=(weight_RPL @ past.number_RLF)[at],
        kind_NK=(weight_RPL @ F.one_hot(past.kind_RL, len(EventKind)).to(weight_RPL.dtype))[at],
        nearest_N=nearest_RP[at],
        length_N=length_R[pair.request_N],
    )


def place_within(request_N: Tensor) -> Tensor:
    """``[N]`` 0, 1, 2, ... among the pairs of the same request, in their order."""
    order = torch.argsort(request_N, stable=True)
    sorted_N = request_N[order]
    index_N = torch.arange(len(request_N), device=request_N.device)
    starts = torch.ones_like(sorted_N, dtype=torch.bool)
    starts[1:] = sorted_N[1:] != sorted_N[:-1]
    first_N = torch.cummax(torch.where(starts, index_N, torch.zeros_like(index_N)), dim=0).values
    place_N = torch.empty_like(index_N)
    place_N[order] = index_N - first_N
    return place_N
