"""The multi-task network above the text encoder: items, histories, match, click, conversion.

The text encoder is apart: it turns words into text vectors, which may come from a table. Everything
here is cheap enough to run on a whole catalogue in every step.

Shape suffixes in this file: V = items, Q = queries, H = text width, D = width, F = numbers of an
item, K = moments, G = figures of a trend, R = requests, L = events of a history, N = pairs of
request and item.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shelfwise.models.config import ModelOptions
from shelfwise.models.heads import ClickConvert, ClickConvertHeads, PairFeatures, Past
from shelfwise.models.history_encoder import AGE_BUCKETS, Events, HistoryEncoder, age_bucket
from shelfwise.schema.event import EventKind, Surface

# Adam moves an entry by about the learning rate a step, and a logit has to move by several units:
# embeddings that are logits themselves are stored this much smaller.
_LOGIT_UNIT = 10.0

SURFACES = tuple(Surface)  # a request's surface is stored as its place in this tuple


class Catalogue(NamedTuple):
    """The items and queries that a batch's numbers point into."""

    item_VD: Tensor
    item_bias_V: Tensor
    item_text_VH: Tensor
    item_number_VF: Tensor
    trend_KVG: Tensor  # how items are doing, at each of the moments that requests point to
    query_QD: Tensor
    query_text_QH: Tensor


class Requests(NamedTuple):
    """Who asks, where, with what words, after what behaviour; -1 stands for none."""

    item_RL: Tensor
    query_RL: Tensor
    kind_RL: Tensor
    age_RL: Tensor
    valid_RL: Tensor
    query_R: Tensor
    surface_R: Tensor
    moment_R: Tensor  # which of the catalogue's moments the request falls in


class Repeats(NamedTuple):
    """Match logits of items for having been taken before; a pair may stand more than once."""

    request_X: Tensor
    item_X: Tensor
    logit_X: Tensor


class Shape(NamedTuple):
    """Sizes that follow from the shop, not from options."""

    text_width: int
    items: int
    numbers: int
    trend: int


class ItemInputs(NamedTuple):
    """What is known of every item."""

    text_VH: Tensor
    number_VF: Tensor
    warm_V: Tensor  # bool: met in training
    trend_KVG: Tensor


class ShelfModel(nn.Module):
    """Item, query and request vectors in one space, and the heads that judge their pairs."""

    def __init__(self, shape: Shape, options: ModelOptions) -> None:
        super().__init__()
        width = options.width
        text_width, items, numbers, trend = shape
        self.options = options
        self.text = nn.Linear(text_width, width)
        self.query_shift = nn.Linear(text_width, width)
        self.item_numbers = nn.Linear(numbers, width, bias=False)
        self.item_id = nn.Embedding(items, width) if options.id_embedding else None
        self.surface = nn.Embedding(len(SURFACES), width)
        self.item_bias = nn.Embedding(items, 1) if options.id_embedding else None
        self.history = HistoryEncoder(width, len(EventKind), options.history)
        self.heads = ClickConvertHeads(width, numbers + trend, len(SURFACES), options.heads)
        # First guess: mostly what was taken in the last 30 days.
        self.trend = nn.Parameter(torch.tensor([0.2, 0.6, 0.2, *[0.0] * (trend - 3)]))
        # By kind of behaviour and its age: what it adds to the match of the very same item, and
        # how much it counts when a candidate is compared with the past.
        self.repeat = nn.Embedding(len(EventKind) * AGE_BUCKETS, 1)
        self.past_weight = nn.Embedding(len(EventKind) * AGE_BUCKETS, 1)
        nn.init.zeros_(self.repeat.weight)
        nn.init.zeros_(self.past_weight.weight)
        self.log_scale = nn.Parameter(torch.tensor(float(options.match_scale)).log())
        nn.init.normal_(self.surface.weight, std=0.02)
        nn.init.normal_(self.item_numbers.weight, std=0.02)
        # Queries share the items' projection, so that they match by text even where no query was
        # ever logged; what else a query says is learned as a shift, at first 0.
        nn.init.zeros_(self.query_shift.weight)
        nn.init.zeros_(self.query_shift.bias)
        if self.item_id is not None and self.item_bias is not None:
            nn.init.normal_(self.item_id.weight, std=0.02)
            nn.init.zeros_(self.item_bias.weight)

    def item_vectors(self, text_VH: Tensor, number_VF: Tensor, warm_V: Tensor) -> Tensor:
        """``[V, D]`` vectors of items; in training some warm ones must do without their id."""
        vector_VD = self.text(text_VH) + self.item_numbers(number_VF)
        if self.item_id is None:
            return self._unit(vector_VD)
        use_V = warm_V
        if self.training:
            use_V = use_V & (torch.rand_like(text_VH[:, 0]) >= self.options.id_dropout)
        return self._unit(vector_VD + self.item_id.weight * use_V[:, None])

    def item_biases(self, warm_V: Tensor) -> Tensor:
        """``[V]`` what the trend does not say of how often an item matches; 0 for cold ones."""
        if self.item_bias is None:
            return torch.zeros_like(warm_V, dtype=torch.float32)
        return _LOGIT_UNIT * self.item_bias.weight[:, 0] * warm_V

    def query_vectors(self, text_QH: Tensor) -> Tensor:
        """``[Q, D]`` vectors of queries."""
        return self._unit(self.text(text_QH) + self.query_shift(text_QH))

    def catalogue(self, items: ItemInputs, query_text_QH: Tensor) -> Catalogue:
        """Items and queries from their text vectors."""
        return Catalogue(
            item_VD=self.item_vectors(items.text_VH, items.number_VF, items.warm_V),
            item_bias_V=self.item_biases(items.warm_V),
            item_text_VH=items.text_VH,
            item_number_VF=items.number_VF,
            trend_KVG=items.trend_KVG,
            query_QD=self.query_vectors(query_text_QH),
            query_text_QH=query_text_QH,
        )

    def _unit(self, vector: Tensor) -> Tensor:
        return F.normalize(vector, dim=-1)

    def request_vectors(self, requests: Requests, catalogue: Catalogue) -> Tensor:
        """``[R, D]`` unit vectors of what each request wants."""
        item_RLD = _pick(catalogue.item_VD, requests.item_RL)
        query_RLD = _pick(catalogue.query_QD, requests.query_RL)
        # A behaviour is told by its item; only a search is told by its words.
        is_item_RL = requests.item_RL >= 0
        vector_RLD = torch.where(is_item_RL[:, :, None], item_RLD, query_RLD)
        events = Events(
            vector_RLD, is_item_RL, requests.kind_RL, requests.age_RL, requests.valid_RL
        )
        asked_RD = _pick(catalogue.query_QD, requests.query_R)
        here_RD = self.surface(requests.surface_R) + asked_RD
        return self._unit(self.history(events, here_RD) + asked_RD)

    def match_scale(self) -> Tensor:
        """The learned factor that turns a cosine into a softmax logit."""
        return self.log_scale.exp().clamp(max=100)

    def repeats(self, requests: Requests) -> Repeats:
        """What each event of a history adds to the match of its own item."""
        request_X, place_X = (requests.item_RL >= 0).nonzero(as_tuple=True)
        logit_RL = self._repeat_logits(requests)
        item_X = requests.item_RL[request_X, place_X]
        return Repeats(request_X, item_X, logit_RL[request_X, place_X])

    def _repeat_logits(self, requests: Requests) -> Tensor:
        logit_RL: Tensor = _LOGIT_UNIT * self.repeat(_kind_and_age(requests)).squeeze(-1)
        return logit_RL

    def match_scores(self, request_RD: Tensor, requests: Requests, catalogue: Catalogue) -> Tensor:
        """``[R, V]`` retrieval logits of every item for every request."""
        score_RV = self.match_scale() * request_RD @ catalogue.item_VD.T
        score_RV = score_RV + self.priors(requests, catalogue)
        request_X, item_X, logit_X = self.repeats(requests)
        return score_RV.index_put((request_X, item_X), logit_X, accumulate=True)

    def priors(self, requests: Requests, catalogue: Catalogue) -> Tensor:
        """``[R, V]`` logits of items whoever asks: how they are doing, and their own bias."""
        prior_KV = catalogue.trend_KVG @ self.trend + catalogue.item_bias_V
        return prior_KV[requests.moment_R]

    def judge(
        self,
        request_RD: Tensor,
        requests: Requests,
        catalogue: Catalogue,
        pairs: tuple[Tensor, Tensor],
        position_N: Tensor | None,
    ) -> ClickConvert:
        """Click and conversion logits of (request, item) pairs.

        Args:
            request_RD: as `request_vectors` returns them.
            requests: the requests themselves.
            catalogue: items and queries.
            pairs: ``request_N`` and ``item_N``, numbers into requests and catalogue.
            position_N: place each item was shown at; None when serving.
        """
        request_N, item_N = pairs
        query_N = requests.query_R[request_N]
        item_ND = catalogue.item_VD[item_N]
        cosine_N = (_pick(catalogue.query_text_QH, query_N) * catalogue.item_text_VH[item_N]).sum(
            -1
        )
        event_logit_RL = self._repeat_logits(requests)
        same_NL = requests.item_RL[request_N] == item_N[:, None]
        repeat_N = (event_logit_RL[request_N] * same_NL).sum(-1)
        moment_N = requests.moment_R[request_N]
        trend_NG = catalogue.trend_KVG[moment_N, item_N]
        prior_N = trend_NG @ self.trend + catalogue.item_bias_V[item_N]
        dot_N = self.match_scale() * (request_RD[request_N] * item_ND).sum(-1)
        features = PairFeatures(
            request_ND=request_RD[request_N],
            item_ND=item_ND,
            query_ND=_pick(catalogue.query_QD, query_N),
            # Logarithms of counts; divided, they are of the size of the other inputs.
            number_NF=torch.cat([catalogue.item_number_VF[item_N], trend_NG / 4], dim=-1),
            text_cosine_N=cosine_N,
            match_N=dot_N + prior_N + repeat_N,
            repeat_N=repeat_N,
            request_N=request_N,
            surface_N=requests.surface_R[request_N],
        )
        past = Past(
            item_RLD=_pick(catalogue.item_VD, requests.item_RL),
            number_RLF=_pick(catalogue.item_number_VF, requests.item_RL),
            weight_RL=_LOGIT_UNIT * self.past_weight(_kind_and_age(requests)).squeeze(-1),
            is_item_RL=requests.item_RL >= 0,
        )
        return self.heads(features, past, position_N)  # type: ignore[no-any-return]  # nn.Module


def _kind_and_age(requests: Requests) -> Tensor:
    """``[R, L]`` number of each event's kind and age together."""
    return requests.kind_RL * AGE_BUCKETS + age_bucket(requests.age_RL)


def _pick(table_KD: Tensor, number: Tensor) -> Tensor:
    """Rows of a table; zeros where the number is -1."""
    if len(table_KD) == 0:
        return table_KD.new_zeros(*number.shape, table_KD.shape[1])
    return table_KD[number.clamp(min=0)] * (number >= 0)[..., None]
