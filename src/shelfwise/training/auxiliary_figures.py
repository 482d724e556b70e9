"""How well the auxiliary tasks do on validation, each beside an answer that looks at nothing.

Nothing is chosen by these figures.

Shape suffixes in this file: R = requests, C = classes, M = positives, J = judged pairs, V = items.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.batches import Examples, gather
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.inputs import as_requests
from shelfwise.training.answers import evenly_spread
from shelfwise.training.auxiliary_losses import relevance_logits
from shelfwise.training.judged_draw import judged_of
from shelfwise.training.network import Network
from shelfwise.training.objective import without_query
from shelfwise.training.task_plan import Labels

_MOST_REQUESTS = 1_024


class Figure(NamedTuple):
    """A figure of the head, the same of an answer that looks at nothing, and what both rest on."""

    value: float
    baseline: float
    support: int


@torch.no_grad()
def auxiliary_figures(
    network: Network, prepared: PreparedShop, examples: Examples
) -> dict[str, dict[str, float]]:
    """Figures of each auxiliary task that is learned.

    Args:
        network: after training.
        prepared: the shop.
        examples: of validation, or of another part that the network has not learned from.
    """
    labels = network.tasks.labels
    if labels is None:
        return {}
    network.model.eval()
    found: dict[str, Figure] = {}
    learned = network.tasks.learned
    if len(examples) and ("interest" in learned or "intent" in learned):
        found |= _of_requests(network, prepared, labels, examples)
    if "attributes" in learned:
        found |= _of_attributes(network, labels)
    if "relevance" in learned:
        found |= _of_judgements(network, prepared)
    return {name: figure._asdict() for name, figure in found.items()}


def _of_requests(
    network: Network, prepared: PreparedShop, labels: Labels, examples: Examples
) -> dict[str, Figure]:
    batch = gather(prepared, examples, evenly_spread(len(examples), _MOST_REQUESTS))
    now = network.moments(batch.at_R)
    asked = as_requests(
        batch.history, batch.query_R, batch.surface_R, network.bank.device, now.moment_R
    )
    catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
    heads, found = network.model.auxiliary, dict[str, Figure]()
    category_M = labels.category_V[batch.match_item_M]
    if "interest" in network.tasks.learned and heads.interest is not None:
        unasked = without_query(asked.requests)
        said = heads.interest(network.model.request_vectors(unasked, catalogue).float())
        if said.category_RC is not None:
            logit_MC = said.category_RC.cpu()[torch.from_numpy(batch.match_request_M)]
            found["interest_category_top1"] = accuracy(logit_MC, category_M)
        if said.kind_RC is not None:
            found["interest_kind_top1"] = accuracy(said.kind_RC.cpu(), batch.next_kind_R)
    if "intent" in network.tasks.learned and heads.intent is not None:
        query_M = asked.requests.query_R.cpu().numpy()[batch.match_request_M]
        known_M = (query_M >= 0) & (category_M >= 0)
        known_M[known_M] = labels.intended_C[category_M[known_M]]
        logit_MC = heads.intent(catalogue.query_text_QH).cpu()[torch.from_numpy(query_M[known_M])]
        found["intent_log_loss"] = _log_loss(logit_MC, category_M[known_M])
    return found


def accuracy(logit_MC: Tensor, class_M: NDArray[np.int64]) -> Figure:
    """Share of rows whose likeliest class is theirs, beside that of the most frequent class.

    Rows of class -1 are not known and not counted.
    """
    known_M = class_M >= 0
    support = int(known_M.sum())
    if not support:
        return Figure(float("nan"), float("nan"), 0)
    said_M = logit_MC.argmax(dim=-1).numpy()[known_M]
    most = np.bincount(class_M[known_M]).max()
    return Figure(float((said_M == class_M[known_M]).mean()), float(most / support), support)


def _log_loss(logit_MC: Tensor, class_M: NDArray[np.int64]) -> Figure:
    """Mean log loss, beside that of the rows' own frequencies: the best that looks at nothing."""
    if not len(class_M):
        return Figure(float("nan"), float("nan"), 0)
    loss = F.cross_entropy(logit_MC.float(), torch.from_numpy(class_M))
    share_C = np.bincount(class_M) / len(class_M)
    plain = -float(np.log(share_C[class_M]).mean())
    return Figure(float(loss), plain, len(class_M))


def _of_attributes(network: Network, labels: Labels) -> dict[str, Figure]:
    """Of items that training has not met: of the others it has seen the answers."""
    heads = network.model.auxiliary.attributes
    assert heads is not None, "asked only where there are some"
    cold_V = ~network.warm_V.cpu().numpy()
    said = heads(network.bank.vectors_TH[: network.items][torch.from_numpy(cold_V)])
    return {
        f"attributes_{name}_accuracy": accuracy(
            said[name].cpu(), labels.classes.class_VA[cold_V, place]
        )
        for place, name in enumerate(labels.classes.names)
    }


def _of_judgements(network: Network, prepared: PreparedShop) -> dict[str, Figure]:
    """Root of the mean squared error of grades as shares, beside that of one grade for all."""
    judged = judged_of(prepared, ["validation"])
    if judged is None:
        return {"relevance_rmse": Figure(float("nan"), float("nan"), 0)}
    pairs = judged.pairs
    text_JH = network.bank.vectors_TH[torch.from_numpy(pairs.query_J + network.items)]
    said_J = relevance_logits(network, text_JH, pairs.item_J).sigmoid().cpu().numpy()
    error = float(np.sqrt(((said_J - pairs.share_J) ** 2).mean()))
    return {"relevance_rmse": Figure(error, float(pairs.share_J.std()), len(pairs))}
