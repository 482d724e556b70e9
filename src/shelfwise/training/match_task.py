"""What a batch teaches of matches: of the whole catalogue, which items each request led to.

Shape suffixes in this file: R = requests, V = items, D = width, M = positives, X = (request, item)
pairs left out of the softmax, P = events of a longer past.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.batches import Batch
from shelfwise.data.history import KINDS
from shelfwise.data.prepared import PreparedShop
from shelfwise.losses.catalogue_softmax import Masked, Offsets, Positives, catalogue_softmax_loss
from shelfwise.models.shelf_model import Catalogue, Requests
from shelfwise.schema.event import EventKind
from shelfwise.training.network import Network

_NEVER = -1e4  # logit of an item that could not be chosen


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
    final: tuple[int, ...],
) -> Tensor:
    """Softmax over the items there were at each request's moment: nobody passed over later ones.

    Where items are not asked for again, those taken before are neither right nor wrong answers;
    how likely a repeat would be is learned beside it, from the same requests.
    """
    requests, catalogue = known
    scaled_RD = network.model.match_scale() * request_RD
    repeat_RV = network.model.repeats(requests, network.items)
    if not final:
        prior_RV = network.model.priors(requests, catalogue) + repeat_RV
        return _softmax(network, batch, (scaled_RD, catalogue.target_VD), prior_RV)
    prior_RV = network.model.priors(requests, catalogue)
    taken_RP = torch.isin(requests.met.kind_RP, requests.met.kind_RP.new_tensor(final))
    request_X, place_X = ((requests.met.item_RP >= 0) & taken_RP).nonzero(as_tuple=True)
    gone = Masked(request_X, requests.met.item_RP[request_X, place_X])
    new = _softmax(network, batch, (scaled_RD, catalogue.target_VD), prior_RV, gone)
    # Repeats learn from what everything else says already, and teach it nothing.
    vectors = (scaled_RD.detach(), catalogue.target_VD.detach())
    return new + _repeats_alone(network, batch, vectors, prior_RV.detach() + repeat_RV)


def _repeats_alone(
    network: Network, batch: Batch, vectors: tuple[Tensor, Tensor], prior_RV: Tensor
) -> Tensor:
    """The loss of repeats, as a gradient alone: its value would hide that of new items."""
    loss = _softmax(network, batch, vectors, prior_RV)
    return loss - loss.detach()


def _softmax(
    network: Network,
    batch: Batch,
    vectors: tuple[Tensor, Tensor],
    prior_RV: Tensor,
    gone: Masked | None = None,
) -> Tensor:
    device = network.bank.device
    request_M, item_M, weight_M = batch.match_request_M, batch.match_item_M, batch.weight_M
    if gone is not None:
        key_X = (gone.request_X * network.items + gone.item_X).cpu().numpy()
        fresh_M = ~np.isin(request_M * network.items + item_M, key_X)
        request_M, item_M, weight_M = request_M[fresh_M], item_M[fresh_M], weight_M[fresh_M]
    if len(item_M) == 0:
        return vectors[0].new_zeros(())
    # Before weights, each request counts the same, however much was taken at it.
    taken_R = np.bincount(request_M, minlength=len(prior_RV))
    share_M = torch.from_numpy((weight_M / taken_R[request_M]).astype(np.float32)).to(device)
    positives = Positives(
        torch.from_numpy(request_M).to(device), torch.from_numpy(item_M).to(device), share_M
    )
    late_RV = _unknown_then(network, batch.at_R, (positives.request_M, positives.item_M))
    offsets = Offsets(prior_RV=prior_RV.masked_fill(late_RV, _NEVER))
    return catalogue_softmax_loss(*vectors, positives, masked=gone, offsets=offsets)


def _unknown_then(
    network: Network, at_R: NDArray[np.int64], right: tuple[Tensor, Tensor]
) -> Tensor:
    """``[R, V]`` items that nobody could have passed over: first met later, or after training.

    What is right was there, even where the answer itself is the first that is known of it.
    """
    device = network.first_V.device
    late_RV = network.first_V > torch.from_numpy(at_R).to(device)[:, None]
    late_RV[right] = False
    return late_RV | ~network.warm_V
