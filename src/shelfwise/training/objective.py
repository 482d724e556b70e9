"""What a batch is trained for: match over the catalogue, clicks, and purchases after clicks.

Shape suffixes in this file: R = requests, V = items, D = width, M = positives, N = impressions,
X = (request, item) pairs left out of the softmax.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.batches import Batch
from shelfwise.losses.catalogue_softmax import (
    Added,
    Masked,
    Offsets,
    Positives,
    catalogue_softmax_loss,
)
from shelfwise.losses.entire_space import RowUse, clicked_only_loss, entire_space_loss
from shelfwise.models.inputs import as_requests
from shelfwise.models.shelf_model import SURFACES, Catalogue, Requests
from shelfwise.schema.event import Surface
from shelfwise.training.config import TrainOptions
from shelfwise.training.device import half_precision
from shelfwise.training.network import Network, live_texts


class Terms(NamedTuple):
    """Losses of a batch; 0 where the log has nothing to teach the task with."""

    total: Tensor
    match: Tensor
    click: Tensor
    purchase: Tensor


def batch_loss(
    network: Network,
    batch: Batch,
    options: TrainOptions,
    rng: np.random.Generator,
    only_new: bool,
) -> Terms:
    """All losses of a batch, with gradient.

    Args:
        network: model and text bank.
        batch: requests and their outcomes.
        options: the tasks' weights.
        rng: draws the texts that learn in this step.
        only_new: items of the request's own history are neither right nor wrong answers.
    """
    device = network.bank.device
    now = network.moments(batch.at_R)
    asked = as_requests(batch.history, batch.query_R, batch.surface_R, device, now.moment_R)
    live = live_texts(batch, network.items, options.live_texts, rng)
    if not any(p.requires_grad for p in network.bank.encoder.parameters()):
        live = live[:0]
    catalogue = network.catalogue(asked.query_texts, now.trend_KVG, live)
    with half_precision(device):
        request_RD = network.model.request_vectors(asked.requests, catalogue).float()
    match = _match_loss(network, batch, (asked.requests, catalogue), request_RD, only_new)
    if (batch.query_R >= 0).any():
        # What a search found is wanted without the words as well: the shelf learns from it too.
        unasked = _without_query(asked.requests)
        with half_precision(device):
            unasked_RD = network.model.request_vectors(unasked, catalogue).float()
        on_shelf = _match_loss(network, batch, (unasked, catalogue), unasked_RD, only_new)
        match = (match + on_shelf) / 2
    if len(batch.shown_item_N) == 0:
        nothing = match.new_zeros(())
        return Terms(options.match_weight * match, match, nothing, nothing)
    pairs = (
        torch.from_numpy(batch.shown_request_N).to(device),
        torch.from_numpy(batch.shown_item_N).to(device),
    )
    position_N = torch.from_numpy(batch.position_N).to(device)
    logits = network.model.judge(request_RD, asked.requests, catalogue, pairs, position_N)
    purchase_loss = entire_space_loss if options.conversion == "entire_space" else clicked_only_loss
    arrived_N = batch.known_N if options.open_windows == "leave_out" else batch.arrived_N
    space = purchase_loss(
        logits.click_N,
        logits.convert_N,
        torch.from_numpy(batch.clicked_N).to(device),
        torch.from_numpy(batch.purchased_N).to(device),
        use=RowUse(
            weight_B=torch.from_numpy(batch.weight_N).to(device),
            arrived_B=torch.from_numpy(arrived_N).to(device),
        ),
        purchase_weight=options.purchase_weight,
    )
    total = options.match_weight * match + space.total
    return Terms(total, match, space.click, space.purchase)


def _without_query(requests: Requests) -> Requests:
    """The same shoppers at the same moments, in front of a recommendation shelf."""
    shelf = SURFACES.index(Surface.RECOMMENDATION)
    return requests._replace(
        query_R=torch.full_like(requests.query_R, -1),
        surface_R=torch.full_like(requests.surface_R, shelf),
    )


def _unknown_then(
    network: Network, at_R: NDArray[np.int64], right: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Tensor:
    """``[R, V]`` items that nobody could have passed over: first met later, or after training.

    What is right was there, even where the answer itself is the first that is known of it.
    """
    device = network.first_V.device
    late_RV = network.first_V > torch.from_numpy(at_R).to(device)[:, None]
    request_M, item_M = (torch.from_numpy(rows).to(device) for rows in right)
    late_RV[request_M, item_M] = False
    return late_RV | ~network.warm_V


def _match_loss(
    network: Network,
    batch: Batch,
    known: tuple[Requests, Catalogue],
    request_RD: Tensor,
    only_new: bool,
) -> Tensor:
    """Softmax over the items there were at each request's moment: nobody passed over later ones."""
    requests, catalogue = known
    device = network.bank.device
    request_M, item_M, weight_M = batch.match_request_M, batch.match_item_M, batch.weight_M
    masked = None
    if only_new:
        request_X, place_X = np.nonzero(batch.history.item_RL >= 0)
        item_X = batch.history.item_RL[request_X, place_X].astype(np.int64)
        fresh_M = ~np.isin(request_M * network.items + item_M, request_X * network.items + item_X)
        request_M, item_M, weight_M = request_M[fresh_M], item_M[fresh_M], weight_M[fresh_M]
        masked = Masked(torch.from_numpy(request_X).to(device), torch.from_numpy(item_X).to(device))
    if len(item_M) == 0:
        return request_RD.new_zeros(())
    # Before weights, each request counts the same, however much was taken at it.
    taken_R = np.bincount(request_M, minlength=len(request_RD))
    share_M = torch.from_numpy((weight_M / taken_R[request_M]).astype(np.float32)).to(device)
    scaled_RD = network.model.match_scale() * request_RD
    prior_RV = network.model.priors(requests, catalogue).masked_fill(
        _unknown_then(network, batch.at_R, (request_M, item_M)), -1e4
    )
    positives = Positives(
        torch.from_numpy(request_M).to(device), torch.from_numpy(item_M).to(device), share_M
    )
    added = None if only_new else Added(*network.model.repeats(requests))
    return catalogue_softmax_loss(
        scaled_RD,
        catalogue.item_VD,
        positives,
        masked=masked,
        offsets=Offsets(added, prior_RV),
    )
