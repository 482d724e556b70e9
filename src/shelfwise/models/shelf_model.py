"""The multi-task network above the text encoder: items, histories, match, click, conversion.

The text encoder is apart: it turns words into text vectors, which may come from a table. Everything
here is cheap enough to run on a whole catalogue in every step.

Shape suffixes in this file: V = items, Q = queries, H = text width, D = width, F = numbers of an
item, K = moments, G = figures of a trend, R = requests, L = events of a history, P = events of a
longer past, N = pairs of request and item.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shelfwise.models.affinity import FIGURES, Affinity, PastEvents, bought_share
from shelfwise.models.auxiliary import NO_AUXILIARY, AuxiliaryHeads, AuxiliaryTasks
from shelfwise.models.catalogue import CATEGORY, Catalogue, ItemInputs
from shelfwise.models.config import ModelOptions
from shelfwise.models.heads import ClickConvert, ClickConvertHeads, PairFeatures, Past
from shelfwise.models.history.choice import history_encoder
from shelfwise.models.history_encoder import AGE_BUCKETS, Events, age_bucket
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.models.neighbours import Neighbours
from shelfwise.models.places import Place
from shelfwise.models.repeats import Repeats
from shelfwise.models.requests import SURFACES, Requests, as_read
from shelfwise.models.task_weights import TaskWeights
from shelfwise.schema.event import EventKind

_RATES = slice(3, 5)  # where a trend tells an item's click rate and conversion rate
_MOST_SCALE = 4.6  # logarithm of the largest scale, 100
# First guess of what makes an item likely, by the figures of its trend: mostly what others began to
# take lately.
_FIRST_TREND = (0.1, 0.2, 0.1, 0.0, 0.0, 0.3, 0.3)


class Shape(NamedTuple):
    """Sizes that follow from the shop, not from options."""

    text_width: int
    items: int
    numbers: int
    trend: int
    auxiliary: AuxiliaryTasks = NO_AUXILIARY
    words: int = 0  # figures of the words that a query and an item share


class _Intended(NamedTuple):
    match: Tensor
    click: Tensor


class ShelfModel(nn.Module):
    """Item, query and request vectors in one space, and the heads that judge their pairs."""

    cold_logit: Tensor  # () what is added for items not yet met; set from outside
    welcome: Tensor  # () how much further the catalogue's ranking raises them; set from outside

    def __init__(self, shape: Shape, options: ModelOptions) -> None:
        super().__init__()
        width = options.width
        text_width, items, numbers, trend, auxiliary, self.words = shape
        self.options = options
        self.text = nn.Linear(text_width, width)
        self.query_shift = nn.Linear(text_width, width)
        self.item_numbers = nn.Linear(numbers, width, bias=False)
        # What follows an item is not what it follows: as a target it may differ, by text and by id.
        self.target_shift = (
            nn.Linear(text_width, width, bias=False) if options.targets == "own" else None
        )
        self.item_id = nn.Embedding(items, width) if options.id_embedding else None
        has_own = options.id_embedding and options.targets == "own"
        self.target_id = nn.Embedding(items, width) if has_own else None
        self.surface = nn.Embedding(len(SURFACES), width)
        self.item_bias = nn.Embedding(items, 1) if options.id_embedding else None
        self.history = history_encoder(width, len(EventKind), options.history)
        self.affinity = Affinity()
        self.neighbours = Neighbours(len(EventKind)) if options.neighbours else None
        figures = numbers + trend + FIGURES + self.words
        self.heads = ClickConvertHeads(width, figures, len(SURFACES), options.heads)
        self.trend = nn.Parameter(torch.tensor(_FIRST_TREND[:trend]) / LOGIT_UNIT)
        self.repeat = Repeats(len(EventKind), trend)
        # By kind of behaviour and its age: how much it counts when a candidate is compared with the
        # past.
        self.past_weight = nn.Embedding(len(EventKind) * AGE_BUCKETS, 1)
        nn.init.zeros_(self.past_weight.weight)
        # What random vectors say at first is noise: it starts small, and may grow fast.
        self.log_scale = nn.Parameter(torch.tensor(float(options.match_scale)).log() / LOGIT_UNIT)
        nn.init.normal_(self.surface.weight, std=0.02)
        nn.init.normal_(self.item_numbers.weight, std=0.02)
        # Queries share the items' projection, so that they match by text even where no query was
        # ever logged; what else a query says is learned as a shift, at first 0.
        nn.init.zeros_(self.query_shift.weight)
        nn.init.zeros_(self.query_shift.bias)
        self.vectors, self.ids, self.read = Place("items"), Place("ids"), Place("history")
        self.clicks, self.converts = Place("click"), Place("convert")
        self.matches = Place("match")
        self.register_buffer("cold_logit", torch.zeros(()))
        self.register_buffer("welcome", torch.zeros(()))
        self.auxiliary = AuxiliaryHeads(text_width, width, auxiliary)
        self.task_weights = TaskWeights(auxiliary.weighed) if auxiliary.weighed else None
        if self.item_id is not None:
            nn.init.normal_(self.item_id.weight, std=0.02)
        for part in (self.target_shift, self.target_id, self.item_bias):
            if part is not None:
                nn.init.zeros_(part.weight)

    def item_vectors(self, items: ItemInputs) -> tuple[Tensor, Tensor]:
        """``[V, D]`` vectors of items as what was met, and as what comes next.

        In training some warm ones must do without their id.
        """
        use_V = items.warm_V
        if self.training:
            use_V = use_V & (torch.rand_like(items.text_VH[:, 0]) >= self.options.id_dropout)
        met_VD = _of_texts(self.text, items) + self.item_numbers(items.number_VF)
        if self.item_id is not None:
            met_VD = met_VD + self.ids(self.item_id.weight) * use_V[:, None]
        if self.target_shift is None:
            item_VD = self.vectors(self._unit(met_VD))
            return item_VD, item_VD
        next_VD = met_VD + _of_texts(self.target_shift, items)
        if self.target_id is not None:
            next_VD = next_VD + self.ids(self.target_id.weight) * use_V[:, None]
        return self.vectors(self._unit(met_VD)), self.vectors(self._unit(next_VD))

    def item_biases(self, warm_V: Tensor) -> Tensor:
        """``[V]`` what the trend does not say of how often an item matches."""
        cold_V = self.cold_logit * ~warm_V
        if self.item_bias is None:
            return cold_V
        return LOGIT_UNIT * self.item_bias.weight[:, 0] * warm_V + cold_V

    def query_vectors(self, text_QH: Tensor) -> Tensor:
        """``[Q, D]`` vectors of queries."""
        return self._unit(self.text(text_QH) + self.query_shift(text_QH))

    def catalogue(self, items: ItemInputs, query_text_QH: Tensor) -> Catalogue:
        """Items and queries from their text vectors."""
        if not self.options.text:
            items = items._replace(text_VH=torch.zeros_like(items.text_VH), fresh=None)
        item_VD, target_VD = self.item_vectors(items)
        return Catalogue(
            item_VD=item_VD,
            target_VD=target_VD,
            item_bias_V=self.item_biases(items.warm_V),
            welcome_V=self.welcome * ~items.warm_V,
            item_text_VH=items.text_VH,
            item_number_VF=items.number_VF,
            group_VC=items.group_VC,
            trend_KVG=items.trend_KVG,
            query_QD=self.query_vectors(query_text_QH),
            query_text_QH=query_text_QH,
        )

    def _unit(self, vector: Tensor) -> Tensor:
        return F.normalize(vector, dim=-1)

    def request_vectors(self, requests: Requests, catalogue: Catalogue) -> Tensor:
        """``[R, D]`` unit vectors of what each request wants."""
        requests = as_read(requests, self.options.history)
        item_RLD = _pick(catalogue.item_VD, requests.item_RL)
        query_RLD = _pick(catalogue.query_QD, requests.query_RL)
        # A behaviour is told by its item; only a search is told by its words.
        is_item_RL = requests.item_RL >= 0
        vector_RLD = torch.where(is_item_RL[:, :, None], item_RLD, query_RLD)
        vector_RLD = self.read(vector_RLD, requests.valid_RL)
        events = Events(
            vector_RLD,
            is_item_RL,
            requests.kind_RL,
            requests.age_RL,
            requests.valid_RL,
            self._written(requests, catalogue),
        )
        asked_RD = _pick(catalogue.query_QD, requests.query_R)
        here_RD = self.surface(requests.surface_R) + asked_RD
        return self._unit(self.history(events, here_RD) + asked_RD)

    def _written(self, requests: Requests, catalogue: Catalogue) -> Tensor | None:
        """``[R, D]`` vectors of histories as texts; they share the projection of all texts."""
        if catalogue.written is None:
            return None
        return self._unit(self.text(catalogue.written(requests.item_RL, requests.query_RL)))

    def match_scale(self) -> Tensor:
        """The learned factor that turns a cosine into a softmax logit."""
        return (LOGIT_UNIT * self.log_scale).clamp(max=_MOST_SCALE).exp()

    def match_scores(self, request_RD: Tensor, requests: Requests, catalogue: Catalogue) -> Tensor:
        """``[R, V]`` retrieval logits of every item for every request."""
        score_RV = self.match_scale() * request_RD @ catalogue.target_VD.T + catalogue.welcome_V
        score_RV = score_RV + self.priors(requests, catalogue)
        near_RV = self.near(requests, catalogue)
        if near_RV is not None:
            score_RV = score_RV + near_RV
        return score_RV + self.repeats(requests, catalogue, near_RV)

    def near(self, requests: Requests, catalogue: Catalogue) -> Tensor | None:
        """``[R, V]`` what the neighbours of what was met add to each match; None without tables."""
        if self.neighbours is None or catalogue.neighbours is None:
            return None
        requests = as_read(requests, self.options.history)
        near_RV: Tensor = self.neighbours(
            requests.met, requests.fold_R, catalogue.neighbours, len(catalogue.item_VD)
        )
        return near_RV

    def priors(self, requests: Requests, catalogue: Catalogue) -> Tensor:
        """``[R, V]`` logits of items whoever asks: how they are doing, their own bias, and whether
        they are of the category that the query is after.
        """
        prior_RV = (catalogue.trend_KVG @ (LOGIT_UNIT * self.trend) + catalogue.item_bias_V)[
            requests.moment_R
        ]
        intent = self.auxiliary.intent
        if intent is None or not (requests.query_R >= 0).any():
            return prior_RV
        told_QC = intent.evidence(catalogue.query_text_QH)
        told_RC = _pick(told_QC, requests.query_R)
        return prior_RV + intent.match_gain * told_RC[:, catalogue.group_VC[:, CATEGORY]]

    def repeats(self, requests: Requests, catalogue: Catalogue, near_RV: Tensor | None) -> Tensor:
        """``[R, V]`` what having met an item before adds to its match; 0 where it was not met.

        ``near_RV`` is as `near` returns it, of the same items.
        """
        met = as_read(requests, self.options.history).met
        repeat_RV: Tensor = self.repeat(met, catalogue.trend_KVG, requests.moment_R, near_RV)
        return repeat_RV

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
        requests = as_read(requests, self.options.history)
        request_N, item_N = pairs
        query_N = requests.query_R[request_N]
        item_ND = catalogue.item_VD[item_N]
        cosine_N = (_pick(catalogue.query_text_QH, query_N) * catalogue.item_text_VH[item_N]).sum(
            -1
        )
        moment_N = requests.moment_R[request_N]
        trend_NG = catalogue.trend_KVG[moment_N, item_N]
        prior_N = trend_NG @ (LOGIT_UNIT * self.trend) + catalogue.item_bias_V[item_N]
        intent_N = self._intended(query_N, item_N, catalogue)
        if intent_N is not None:
            prior_N = prior_N + intent_N.match
        near_RV = self.near(requests, catalogue)
        near_N = None if near_RV is None else near_RV[request_N, item_N]
        if near_N is not None:
            prior_N = prior_N + near_N
        repeat_N = self.repeat.of_pairs(requests.met, pairs, trend_NG, near_N)
        target_ND = catalogue.target_VD[item_N]
        dot_N = self.match_scale() * (request_RD[request_N] * target_ND).sum(-1)
        done = _done(requests, catalogue)
        done_NS = self.affinity(done, request_N, catalogue.group_VC[item_N])
        number_NF = catalogue.item_number_VF[item_N]
        words_NS = self._shared_words(catalogue, query_N, item_N)
        features = PairFeatures(
            request_ND=request_RD[request_N],
            item_ND=item_ND,
            query_ND=_pick(catalogue.query_QD, query_N),
            # Logarithms of counts; divided, they are of the size of the other inputs.
            number_NF=torch.cat([number_NF, trend_NG / 4, done_NS, words_NS], dim=-1),
            text_cosine_N=cosine_N,
            match_N=dot_N + prior_N + repeat_N,
            repeat_N=repeat_N,
            own_rate_NT=trend_NG[:, _RATES],
            shopper_rate_N=bought_share(done, self.heads.convert_rate)[request_N],
            request_N=request_N,
            surface_N=requests.surface_R[request_N],
        )
        past = Past(
            item_RLD=_pick(catalogue.item_VD, requests.item_RL),
            number_RLF=_pick(catalogue.item_number_VF, requests.item_RL),
            kind_RL=requests.kind_RL,
            weight_RL=LOGIT_UNIT * self.past_weight(_kind_and_age(requests)).squeeze(-1),
            is_item_RL=requests.item_RL >= 0,
        )
        judged: ClickConvert = self.heads(features, past, position_N)
        click_N = judged.click_N if intent_N is None else judged.click_N + intent_N.click
        return ClickConvert(self.clicks(click_N), self.converts(judged.convert_N))

    def _intended(self, query_N: Tensor, item_N: Tensor, catalogue: Catalogue) -> _Intended | None:
        """What being of the category that a pair's query is after adds to its match and click."""
        intent = self.auxiliary.intent
        if intent is None or not (query_N >= 0).any():
            return None
        told_QC = intent.evidence(catalogue.query_text_QH)
        told_N = told_QC[query_N.clamp(min=0), catalogue.group_VC[item_N, CATEGORY]]
        told_N = told_N * (query_N >= 0)
        return _Intended(intent.match_gain * told_N, intent.click_gain * told_N)

    def _shared_words(self, catalogue: Catalogue, query_N: Tensor, item_N: Tensor) -> Tensor:
        """``[N, S]`` figures of the words that each pair's query and item share."""
        if self.words == 0 or not bool((query_N >= 0).any()):
            return catalogue.item_number_VF.new_zeros(len(query_N), self.words)
        assert catalogue.shared_words is not None, "a network that is told of words was given none"
        found_NS = catalogue.shared_words(query_N.cpu().numpy(), item_N.cpu().numpy())
        return torch.from_numpy(found_NS).to(query_N.device)


def _of_texts(layer: nn.Linear, items: ItemInputs) -> Tensor:
    """``[V, D]`` projections of item texts; the gradient of a text goes to those that learn alone.

    Through the whole table it would be computed for every item, and dropped for all but a few.
    """
    if items.fresh is None:
        return _projected(layer, items.text_VH)
    table_VH, item_B, text_BH = items.fresh
    return _projected(layer, table_VH).index_put((item_B,), layer(text_BH))


def _projected(layer: nn.Linear, text_VH: Tensor) -> Tensor:
    """``[V, D]`` the layer's answer; a row that stands for all, as of ids alone, is asked once."""
    if text_VH.stride(0) == 0:
        one_1D: Tensor = layer(text_VH[:1])
        return one_1D.expand(len(text_VH), -1)
    found_VD: Tensor = layer(text_VH)
    return found_VD


def _kind_and_age(requests: Requests) -> Tensor:
    """``[R, L]`` number of each event's kind and age together."""
    return requests.kind_RL * AGE_BUCKETS + age_bucket(requests.age_RL)


def _done(requests: Requests, catalogue: Catalogue) -> PastEvents:
    """What was met, by the groups of its items."""
    met = requests.met
    is_item_RP = met.item_RP >= 0
    group_RPC = catalogue.group_VC[met.item_RP.clamp(min=0)]
    return PastEvents(
        group_RPC=torch.where(is_item_RP[..., None], group_RPC, -1),
        kind_RP=met.kind_RP,
        age_RP=met.age_RP,
        is_item_RP=is_item_RP,
        groups=int(catalogue.group_VC.max()) + 1,
    )


def _pick(table_KD: Tensor, number: Tensor) -> Tensor:
    """Rows of a table; zeros where the number is -1."""
    if len(table_KD) == 0:
        return table_KD.new_zeros(*number.shape, table_KD.shape[1])
    return table_KD[number.clamp(min=0)] * (number >= 0)[..., None]
