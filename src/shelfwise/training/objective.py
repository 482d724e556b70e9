"""What a batch is trained for: match over the catalogue, clicks, purchases after clicks, and more.

Shape suffixes in this file: R = requests, D = width, N = impressions, B = item texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.batches import Batch
from shelfwise.losses.entire_space import (
    LossTerms,
    RowUse,
    clicked_only_loss,
    entire_space_loss,
)
from shelfwise.models.catalogue import Catalogue
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import SURFACES, Requests
from shelfwise.schema.event import Surface
from shelfwise.training.auxiliary_losses import Told, auxiliary_losses
from shelfwise.training.config import TrainOptions
from shelfwise.training.device import half_precision
from shelfwise.training.match_task import MatchRule, match_loss
from shelfwise.training.network import Network, live_texts
from shelfwise.training.task_plan import AUXILIARY, main_weights


class Terms(NamedTuple):
    """Losses of a batch; 0 where the log has nothing to teach the task with."""

    total: Tensor
    match: Tensor
    click: Tensor
    purchase: Tensor
    interest: Tensor
    intent: Tensor
    attributes: Tensor
    relevance: Tensor


def batch_loss(
    network: Network,
    batch: Batch,
    options: TrainOptions,
    rng: np.random.Generator,
    final: tuple[int, ...],
) -> Terms:
    """All losses of a batch, with gradient.

    Args:
        network: model and text bank, and which tasks are learned.
        batch: requests and their outcomes.
        options: how the tasks are learned.
        rng: draws the texts that learn in this step, what matches are held against, and what was
            judged.
        final: kinds of behaviour after which an item is not asked for again; see `final_kinds`.
    """
    read = _read(network, batch, options, rng)
    nothing = read.request_RD.new_zeros(())
    learned, losses = network.tasks.learned, {}
    if "match" in learned:
        rule = MatchRule(final, options.match_loss, rng, options.doubt)
        losses["match"] = _match_loss(network, read, rule)
    if "click" in learned and len(batch.shown_item_N):
        space = _space_loss(network, read, options)
        losses["click"] = space.click
        if "conversion" in learned:
            losses["conversion"] = space.purchase
    if network.tasks.labels is not None:
        told = Told(batch, read.requests, read.catalogue, read.unasked_RD, read.item_B)
        with network.phases("auxiliary"):
            beside = auxiliary_losses(network, network.tasks.labels, told, rng)
        losses |= {task: loss for task, loss in beside._asdict().items() if task in learned}
    return Terms(
        _total(network, losses, options, nothing),
        match=losses.get("match", nothing),
        click=losses.get("click", nothing),
        purchase=losses.get("conversion", nothing),
        **{task: losses.get(task, nothing) for task in AUXILIARY},
    )


class _Read(NamedTuple):
    """A batch as the network has read it."""

    batch: Batch
    requests: Requests
    catalogue: Catalogue
    request_RD: Tensor
    unasked: Requests  # without their queries; the same where nobody typed one
    unasked_RD: Tensor
    item_B: NDArray[np.int64]  # items whose texts the step is about

    @property
    def has_queries(self) -> bool:
        return self.unasked is not self.requests


def _read(network: Network, batch: Batch, options: TrainOptions, rng: np.random.Generator) -> _Read:
    device = network.bank.device
    now = network.moments(batch.at_R)
    asked = as_requests(
        *(batch.history, batch.query_R, batch.surface_R, device), now.moment_R, batch.fold_R
    )
    live = live_texts(batch, network.items, options.live_texts, rng)
    item_B = live[live < network.items]
    if not network.bank.learns:
        live = live[:0]
    with network.phases("item vectors"):
        catalogue = network.catalogue(asked.query_texts, now.trend_KVG, live)
    with half_precision(device), network.phases("request vectors"):
        request_RD = network.model.request_vectors(asked.requests, catalogue).float()
    unasked, unasked_RD = asked.requests, request_RD
    if (batch.query_R >= 0).any():
        unasked = without_query(asked.requests)
        with half_precision(device), network.phases("request vectors"):
            unasked_RD = network.model.request_vectors(unasked, catalogue).float()
    return _Read(batch, asked.requests, catalogue, request_RD, unasked, unasked_RD, item_B)


def _match_loss(network: Network, read: _Read, rule: MatchRule) -> Tensor:
    with network.phases("match loss"):
        known = (read.requests, read.catalogue)
        match = match_loss(network, read.batch, known, read.request_RD, rule)
        if not read.has_queries:
            return match
        # What a search found is wanted without the words as well: the shelf learns from it too.
        known = (read.unasked, read.catalogue)
        return (match + match_loss(network, read.batch, known, read.unasked_RD, rule)) / 2


def _space_loss(network: Network, read: _Read, options: TrainOptions) -> LossTerms:
    """Clicks, and purchases after them."""
    batch, device = read.batch, network.bank.device
    pairs = (
        torch.from_numpy(batch.shown_request_N).to(device),
        torch.from_numpy(batch.shown_item_N).to(device),
    )
    position_N = torch.from_numpy(batch.position_N).to(device)
    with network.phases("heads"):
        logits = network.model.judge(
            read.request_RD, read.requests, read.catalogue, pairs, position_N
        )
    purchase_loss = entire_space_loss if options.conversion == "entire_space" else clicked_only_loss
    arrived_N = batch.known_N if options.open_windows == "leave_out" else batch.arrived_N
    return purchase_loss(
        logits.click_N,
        logits.convert_N,
        torch.from_numpy(batch.clicked_N).to(device),
        torch.from_numpy(batch.purchased_N).to(device),
        use=RowUse(
            weight_B=torch.from_numpy(batch.weight_N).to(device),
            arrived_B=torch.from_numpy(arrived_N).to(device),
            doubt=options.doubt,
        ),
    )


def _total(
    network: Network, losses: Mapping[str, Tensor], options: TrainOptions, nothing: Tensor
) -> Tensor:
    """The weighted sum of the losses, by weights that are given or learned."""
    weights = network.tasks.weights or main_weights(options)
    learned = network.model.task_weights
    weighed = {} if learned is None else {t: x for t, x in losses.items() if t in learned.tasks}
    given = (weights[task] * loss for task, loss in losses.items() if task not in weighed)
    total = sum(given, nothing)
    return total + learned(weighed) if learned is not None and weighed else total


def without_query(requests: Requests) -> Requests:
    """The same shoppers at the same moments, in front of a recommendation shelf."""
    shelf = SURFACES.index(Surface.RECOMMENDATION)
    return requests._replace(
        query_R=torch.full_like(requests.query_R, -1),
        surface_R=torch.full_like(requests.surface_R, shelf),
    )
