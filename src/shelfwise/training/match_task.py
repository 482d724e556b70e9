"""What a batch teaches of matches: of the whole catalogue, which items each request led to.

Shape suffixes in this file: R = requests, C = candidates (all items, or a draw of them), S = items
drawn, D = width, M = positives, X = (request, item) pairs left out, P = events of a longer past.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.batches import Batch
from shelfwise.data.history import KINDS
from shelfwise.data.prepared import PreparedShop
from shelfwise.losses.catalogue_softmax import (
    ABSENT,
    Masked,
    Positives,
    catalogue_softmax_gradient,
    catalogue_softmax_loss,
)
from shelfwise.losses.gbce import generalised_bce_loss
from shelfwise.losses.sampled_softmax import DrawnItems, RightAnswers, sampled_softmax_loss
from shelfwise.models.catalogue import Catalogue
from shelfwise.models.requests import MetPairs, Requests
from shelfwise.schema.event import EventKind
from shelfwise.training.candidates import Candidates, Draw, candidates_of
from shelfwise.training.match_options import (
    GeneralisedBce,
    MatchLossOptions,
    SampledSoftmax,
    Softmax,
)
from shelfwise.training.network import Network


class MatchRule(NamedTuple):
    """How answers are judged."""

    final: tuple[int, ...]  # kinds of behaviour after which an item is not asked for again
    loss: MatchLossOptions
    rng: np.random.Generator  # draws what answers are held against
    doubt: float = 0.0  # of answers that are very unlikely


class _Scored(NamedTuple):
    """Logits of every candidate for every request, still in parts."""

    request_RD: Tensor
    target_CD: Tensor
    prior_RC: Tensor


def final_kinds(prepared: PreparedShop) -> tuple[int, ...]:
    """Kinds of behaviour after which an item is not asked for again; none where repeats count."""
    if prepared.options.match.seen == "keep":
        return ()
    return tuple(KINDS.index(EventKind(kind)) for kind in prepared.manifest.facts["match_kinds"])


def match_loss(
    network: Network,
    batch: Batch,
    known: tuple[Requests, Catalogue],
    request_RD: Tensor,
    rule: MatchRule,
) -> Tensor:
    """Likelihood of what was taken, of the items there were at each request's moment.

    Nobody passed over later ones. Where items are not asked for again, those taken before are
    neither right nor wrong answers; how likely a repeat would be is learned beside it, from the
    same requests.
    """
    candidates = candidates_of(network, batch.match_item_M, rule.loss, rule.rng)
    judged = _Judged(network, batch, candidates, rule.loss, rule.doubt)
    near_RV = network.model.near(*known)
    requests, catalogue = candidates.narrowed(known)
    scaled_RD = network.model.match_scale() * request_RD
    prior_RC = network.model.priors(requests, catalogue)
    near_RC = None if near_RV is None else candidates.taking_part(near_RV)
    if near_RC is not None:
        prior_RC = prior_RC + near_RC
    repeat_RC = network.model.repeats(requests, catalogue, near_RC)
    if network.model.matches.is_heard:
        places = torch.from_numpy(np.unique(candidates.places(batch.match_item_M)))
        places = places.to(network.bank.device)
        among_RA = scaled_RD @ catalogue.target_VD[places].T + (prior_RC + repeat_RC)[:, places]
        network.model.matches(among_RA)  # of the batch's own answers: all of them cost too much
    if not rule.final:
        return _loss(judged, _Scored(scaled_RD, catalogue.target_VD, prior_RC + repeat_RC))
    taken_RP = torch.isin(requests.met.kind_RP, requests.met.kind_RP.new_tensor(rule.final))
    request_X, place_X = ((requests.met.item_RP >= 0) & taken_RP).nonzero(as_tuple=True)
    gone = Masked(request_X, requests.met.item_RP[request_X, place_X])
    new = _loss(judged, _Scored(scaled_RD, catalogue.target_VD, prior_RC), gone)
    # Repeats learn from what everything else says already, and teach it nothing.
    settled = _Scored(scaled_RD.detach(), catalogue.target_VD.detach(), prior_RC.detach())
    met = MetPairs.of(requests.met, len(catalogue.target_VD))
    return new + _repeats_alone(judged, settled, repeat_RC, (met.request_X, met.item_X))


class _Judged(NamedTuple):
    """What is judged, and how."""

    network: Network
    batch: Batch
    candidates: Candidates
    loss: MatchLossOptions
    doubt: float


def _repeats_alone(
    judged: _Judged, scored: _Scored, repeat_RC: Tensor, met_X: tuple[Tensor, Tensor]
) -> Tensor:
    """The loss of repeats, as a gradient alone: its value would hide that of new items."""
    if isinstance(judged.loss, Softmax):  # in closed form: little of the table is a repeat
        right = _right_answers(judged, None)
        if len(right.item_M) == 0:
            return repeat_RC.new_zeros(())
        with torch.no_grad():
            logit_RC = torch.addmm(scored.prior_RC, scored.request_RD, scored.target_CD.T)
            logit_RC.add_(repeat_RC).masked_fill_(_unknown_then(judged, right), ABSENT)
            smoothing = judged.loss.label_smoothing
            right = right._replace(smoothing=smoothing, doubt=judged.doubt)
            pull_X = catalogue_softmax_gradient(logit_RC, right, met_X)
        loss = (pull_X * repeat_RC[met_X]).sum()
    else:
        loss = _loss(judged, scored._replace(prior_RC=scored.prior_RC + repeat_RC))
    return loss - loss.detach()


def _loss(judged: _Judged, scored: _Scored, gone: Masked | None = None) -> Tensor:
    right = _right_answers(judged, gone)
    if len(right.item_M) == 0:
        return scored.request_RD.new_zeros(())
    late_RC = _unknown_then(judged, right)
    draw = judged.candidates.draw
    match judged.loss:
        case Softmax(label_smoothing=smoothing):
            return catalogue_softmax_loss(
                scored.request_RD,
                scored.target_CD,
                right._replace(smoothing=smoothing, doubt=judged.doubt),
                masked=gone,
                prior_RV=scored.prior_RC.masked_fill(late_RC, ABSENT),
            )
        case SampledSoftmax():
            assert draw is not None, "a sampled softmax draws"
            answers, drawn = _answers(scored, right, late_RC, gone, draw)
            return sampled_softmax_loss(answers._replace(doubt=judged.doubt), drawn)
        case GeneralisedBce(negatives=size, calibration=calibration):
            assert draw is not None, "gBCE draws"
            others = max(1, int(judged.network.warm_V.sum()) - 1)
            return generalised_bce_loss(
                *_answers(scored, right, late_RC, gone, draw),
                share_drawn=min(1.0, size / others),
                calibration=calibration,
            )


def _right_answers(judged: _Judged, gone: Masked | None) -> Positives:
    batch, candidates = judged.batch, judged.candidates
    request_M, weight_M = batch.match_request_M, batch.weight_M
    place_M = candidates.places(batch.match_item_M)
    if gone is not None:
        width = len(candidates.item_C)
        key_X = (gone.request_X * width + gone.item_X).cpu().numpy()
        fresh_M = ~np.isin(request_M * width + place_M, key_X)
        request_M, place_M, weight_M = request_M[fresh_M], place_M[fresh_M], weight_M[fresh_M]
    share_M = shares(request_M, weight_M)
    device = judged.network.bank.device
    request, place, share = (
        torch.from_numpy(side).to(device) for side in (request_M, place_M, share_M)
    )
    return Positives(request, place, share)


def shares(request_M: NDArray[np.int64], weight_M: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[M]`` weight of each match; before weights, each request counts the same, however much was
    taken at it.
    """
    return (weight_M / np.bincount(request_M)[request_M]).astype(np.float32)


def _answers(
    scored: _Scored, right: Positives, late_RC: Tensor, gone: Masked | None, draw: Draw
) -> tuple[RightAnswers, DrawnItems]:
    """The same as logits, for the losses that look at a draw."""
    logit_RC = scored.request_RD @ scored.target_CD.T + scored.prior_RC
    right_M = logit_RC[right.request_M, right.item_M]
    out_RC = late_RC
    if gone is not None:
        out_RC = out_RC.index_put((gone.request_X, gone.item_X), out_RC.new_ones(()))
    drawn_RS = logit_RC.masked_fill(out_RC, -torch.inf)[:, draw.place_S]
    return (
        RightAnswers(right.request_M, right.item_M, right_M, right.weight_M),
        DrawnItems(draw.place_S, drawn_RS, draw.log_expected_S),
    )


def _unknown_then(judged: _Judged, right: Positives) -> Tensor:
    """``[R, C]`` items that nobody could have passed over: first met later, or after training.

    What is right was there, even where the answer itself is the first that is known of it.
    """
    network = judged.network
    item_C = torch.from_numpy(judged.candidates.item_C).to(network.first_V.device)
    at_R = torch.from_numpy(judged.batch.at_R).to(item_C.device)
    late_RC = network.first_V[item_C] > at_R[:, None]
    late_RC[right.request_M, right.item_M] = False
    return late_RC | ~network.warm_V[item_C]
