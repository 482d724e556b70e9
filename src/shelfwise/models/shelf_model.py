"""The multi-task network above the text encoder: items, histories, match, click, conversion.

The text encoder is apart: it turns words into text vectors, which may come from a table. Everything
here is cheap enough to run on a whole catalogue in every step.

Shape suffixes in this file: V = items, Q = queries, H = text width, D = width, F = numbers of an
item, R = requests, L = events of a history, N = (request, item) pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shelfwise.models.config import ModelOptions
from shelfwise.models.heads import ClickConvert, ClickConvertHeads, PairFeatures
from shelfwise.models.history_encoder import Events, HistoryEncoder
from shelfwise.schema.event import EventKind, Surface

SURFACES = tuple(Surface)  # a request's surface is stored as its place in this tuple


class Catalogue(NamedTuple):
    """The items and queries that a batch's numbers point into."""

    item_VD: Tensor
    item_bias_V: Tensor
    item_text_VH: Tensor
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


class ShelfModel(nn.Module):
    """Item, query and request vectors in one space, and the heads that judge their pairs."""

    def __init__(self, text_width: int, items: int, numbers: int, options: ModelOptions) -> None:
        super().__init__()
        width = options.width
        self.options = options
        self.text = nn.Linear(text_width, width)
        self.query_shift = nn.Linear(text_width, width)
        self.item_numbers = nn.Linear(numbers, width, bias=False)
        self.item_id = nn.Embedding(items, width) if options.id_embedding else None
        self.surface = nn.Embedding(len(SURFACES), width)
        self.item_bias = nn.Embedding(items, 1) if options.id_embedding else None
        self.history = HistoryEncoder(width, len(EventKind), options.history)
        self.heads = ClickConvertHeads(width, len(SURFACES), options.heads)
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
        """``[V]`` how often an item matches whoever asks; a cold one is taken for average."""
        if self.item_bias is None:
            return torch.zeros_like(warm_V, dtype=torch.float32)
        bias_V = self.item_bias.weight[:, 0]
        average = (bias_V * warm_V).sum() / warm_V.sum().clamp(min=1)
        return torch.where(warm_V, bias_V, average)

    def query_vectors(self, text_QH: Tensor) -> Tensor:
        """``[Q, D]`` vectors of queries."""
        return self._unit(self.text(text_QH) + self.query_shift(text_QH))

    def catalogue(
        self, item_text_VH: Tensor, number_VF: Tensor, warm_V: Tensor, query_text_QH: Tensor
    ) -> Catalogue:
        """Items and queries from their text vectors."""
        return Catalogue(
            item_VD=self.item_vectors(item_text_VH, number_VF, warm_V),
            item_bias_V=self.item_biases(warm_V),
            item_text_VH=item_text_VH,
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

    def match_scores(self, request_RD: Tensor, catalogue: Catalogue) -> Tensor:
        """``[R, V]`` retrieval logits of every item for every request."""
        return self.match_scale() * request_RD @ catalogue.item_VD.T + catalogue.item_bias_V

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
        features = PairFeatures(
            request_ND=request_RD[request_N],
            item_ND=item_ND,
            query_ND=_pick(catalogue.query_QD, query_N),
            text_cosine_N=cosine_N,
            match_N=(request_RD[request_N] * item_ND).sum(-1),
            surface_N=requests.surface_R[request_N],
        )
        return self.heads(features, position_N)  # type: ignore[no-any-return]  # nn.Module


def _pick(table_KD: Tensor, number: Tensor) -> Tensor:
    """Rows of a table; zeros where the number is -1."""
    if len(table_KD) == 0:
        return table_KD.new_zeros(*number.shape, table_KD.shape[1])
    return table_KD[number.clamp(min=0)] * (number >= 0)[..., None]
