"""What a batch is trained for: match over the catalogue, clicks, and purchases after clicks.

Shape suffixes in this file: R = requests, D = width, N = impressions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from shelfwise.data.batches import Batch
from shelfwise.losses.entire_space import RowUse, clicked_only_loss, entire_space_loss
from shelfwise.models.inputs import as_requests
from shelfwise.models.shelf_model import SURFACES, Requests
from shelfwise.schema.event import Surface
from shelfwise.training.config import TrainOptions
from shelfwise.training.device import half_precision
from shelfwise.training.match_task import MatchRule, match_loss
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
    final: tuple[int, ...],
) -> Terms:
    """All losses of a batch, with gradient.

    Args:
        network: model and text bank.
        batch: requests and their outcomes.
        options: the tasks' weights.
        rng: draws the texts that learn in this step, and what matches are held against.
        final: kinds of behaviour after which an item is not asked for again; see `final_kinds`.
    """
    device = network.bank.device
    now = network.moments(batch.at_R)
    asked = as_requests(batch.history, batch.query_R, batch.surface_R, device, now.moment_R)
    live = live_texts(batch, network.items, options.live_texts, rng)
    if not any(p.requires_grad for p in network.bank.encoder.parameters()):
        live = live[:0]
    with network.phases("item vectors"):
        catalogue = network.catalogue(asked.query_texts, now.trend_KVG, live)
    with half_precision(device), network.phases("request vectors"):
        request_RD = network.model.request_vectors(asked.requests, catalogue).float()
    rule = MatchRule(final, options.match_loss, rng)
    with network.phases("match loss"):
        match = match_loss(network, batch, (asked.requests, catalogue), request_RD, rule)
    if (batch.query_R >= 0).any():
        # What a search found is wanted without the words as well: the shelf learns from it too.
        unasked = _without_query(asked.requests)
        with half_precision(device), network.phases("request vectors"):
            unasked_RD = network.model.request_vectors(unasked, catalogue).float()
        with network.phases("match loss"):
            on_shelf = match_loss(network, batch, (unasked, catalogue), unasked_RD, rule)
        match = (match + on_shelf) / 2
    if len(batch.shown_item_N) == 0:
        nothing = match.new_zeros(())
        return Terms(options.match_weight * match, match, nothing, nothing)
    pairs = (
        torch.from_numpy(batch.shown_request_N).to(device),
        torch.from_numpy(batch.shown_item_N).to(device),
    )
    position_N = torch.from_numpy(batch.position_N).to(device)
    with network.phases("heads"):
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
