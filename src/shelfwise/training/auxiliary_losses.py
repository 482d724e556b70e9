"""What a batch teaches the auxiliary tasks.

Shape suffixes in this file: R = requests, D = width, M = positives, B = texts, H = text width, Q =
judged queries, J = judged pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.batches import Batch
from shelfwise.losses.classification import classification_loss
from shelfwise.models.auxiliary import Interest
from shelfwise.models.catalogue import Catalogue
from shelfwise.models.requests import Requests
from shelfwise.training.match_task import shares
from shelfwise.training.network import Network
from shelfwise.training.task_plan import Labels


class AuxiliaryTerms(NamedTuple):
    """Losses of a batch; 0 where a task is not learned or the batch says nothing of it."""

    interest: Tensor
    intent: Tensor
    attributes: Tensor
    relevance: Tensor


class Told(NamedTuple):
    """The batch, as the network has read it."""

    batch: Batch
    requests: Requests
    catalogue: Catalogue
    unasked_RD: Tensor  # requests' vectors without their queries
    learning_items: NDArray[np.int64]  # whose texts are told in this step, with gradient if any


def auxiliary_losses(
    network: Network, labels: Labels, told: Told, rng: np.random.Generator
) -> AuxiliaryTerms:
    """The losses of all auxiliary tasks that the network has heads for.

    Args:
        network: model and text bank.
        labels: what is known of items, and what was judged.
        told: the batch.
        rng: draws judged queries.
    """
    heads = network.model.auxiliary
    nothing = told.unasked_RD.new_zeros(())
    return AuxiliaryTerms(
        interest=nothing
        if heads.interest is None
        else interest_loss(heads.interest(told.unasked_RD), labels, told.batch),
        intent=nothing if heads.intent is None else _intent_loss(network, labels, told),
        attributes=nothing
        if heads.attributes is None
        else attribute_loss(network, labels, told.catalogue.item_text_VH, told.learning_items),
        relevance=nothing if heads.relevance is None else _relevance_loss(network, labels, rng),
    )


def interest_loss(said: Interest, labels: Labels, batch: Batch) -> Tensor:
    """Cross-entropy of the next category, and of the next kind of behaviour."""
    device = next(logit.device for logit in said if logit is not None)
    total = torch.zeros((), device=device)
    if said.category_RC is not None:
        request_M = torch.from_numpy(batch.match_request_M).to(device)
        category_M = labels.category_V[batch.match_item_M]
        total = total + classification_loss(
            said.category_RC[request_M],
            torch.from_numpy(category_M).to(device),
            weight_B=torch.from_numpy(shares(batch.match_request_M, batch.weight_M)).to(device),
        )
    if said.kind_RC is not None:
        next_R = torch.from_numpy(batch.next_kind_R).to(device)
        total = total + classification_loss(said.kind_RC, next_R)
    return total


def _intent_loss(network: Network, labels: Labels, told: Told) -> Tensor:
    """Cross-entropy of the category of what was taken after each query."""
    head, batch = network.model.auxiliary.intent, told.batch
    assert head is not None, "asked only where there is one"
    query_M = told.requests.query_R[torch.from_numpy(batch.match_request_M).to(network.bank.device)]
    category_M = torch.from_numpy(labels.category_V[batch.match_item_M]).to(query_M.device)
    asked_M = query_M >= 0
    if not asked_M.any():
        return told.unasked_RD.new_zeros(())
    logit_QC = head(told.catalogue.query_text_QH)
    share_M = torch.from_numpy(shares(batch.match_request_M, batch.weight_M)).to(query_M.device)
    return classification_loss(
        logit_QC[query_M[asked_M]], category_M[asked_M], weight_B=share_M[asked_M]
    )


def attribute_loss(
    network: Network, labels: Labels, text_VH: Tensor, items: NDArray[np.int64]
) -> Tensor:
    """Mean over attributes of the cross-entropy of their classes, for the given items."""
    heads = network.model.auxiliary.attributes
    assert heads is not None, "asked only where there are some"
    device = text_VH.device
    if len(items) == 0:
        return text_VH.new_zeros(())
    class_BA = torch.from_numpy(labels.classes.class_VA[items]).to(device)
    said = heads(text_VH[torch.from_numpy(items).to(device)])
    losses = [
        classification_loss(said[name], class_BA[:, place])
        for place, name in enumerate(labels.classes.names)
    ]
    return torch.stack(losses).mean()


def _relevance_loss(network: Network, labels: Labels, rng: np.random.Generator) -> Tensor:
    """Cross-entropy of the grade, as a share of the best one, on some judged queries.

    Their texts are encoded with gradient; items' come from the table, as they are longer and most
    of them do not change in a step.
    """
    judged = labels.judged
    assert judged is not None, "asked only where something was judged"
    pairs = judged.draw(rng)
    query, place_J = np.unique(pairs.query_J, return_inverse=True)
    text_QH = network.bank.encode(query + network.items).float()
    logit_J = relevance_logits(network, text_QH[torch.from_numpy(place_J)], pairs.item_J)
    share_J = torch.from_numpy(pairs.share_J).to(logit_J.device)
    return F.binary_cross_entropy_with_logits(logit_J, share_J)


def relevance_logits(network: Network, query_text_JH: Tensor, item_J: NDArray[np.int64]) -> Tensor:
    """``[J]`` logits of the grade of judged pairs, by the texts of both sides alone."""
    model = network.model
    head = model.auxiliary.relevance
    assert head is not None, "asked only where there is one"
    item_text_JH = network.bank.vectors_TH[torch.from_numpy(item_J).to(network.bank.device)]
    item_JD = F.normalize(model.text(item_text_JH), dim=-1)
    logit_J: Tensor = head(model.query_vectors(query_text_JH), item_JD)
    return logit_J
