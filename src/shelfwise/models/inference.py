"""The network's answers without gradient, as arrays.

Shape suffixes in this file: R = requests, V = items, N = (request, item) pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.models.calibration import PairLogits
from shelfwise.models.catalogue import Catalogue
from shelfwise.models.heads import ClickConvertHeads
from shelfwise.models.requests import Requests
from shelfwise.models.shelf_model import ShelfModel


class PairProbabilities(NamedTuple):
    """P(click | shown there) and P(purchase | click), as the network gives them."""

    click_N: NDArray[np.float32]
    convert_N: NDArray[np.float32]


@torch.no_grad()
def match_scores(
    model: ShelfModel, requests: Requests, catalogue: Catalogue
) -> NDArray[np.float32]:
    """``[R, V]`` match score of every item; a softmax over it is P(item | a match happens)."""
    model.eval()
    request_RD = model.request_vectors(requests, catalogue)
    scores: NDArray[np.float32] = model.match_scores(request_RD, requests, catalogue).cpu().numpy()
    return scores


@torch.no_grad()
def pair_logits(
    model: ShelfModel,
    requests: Requests,
    catalogue: Catalogue,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    position_N: NDArray[np.int64] | None,
) -> PairLogits:
    """Logits of (request, item) pairs, for a calibration to make probabilities of.

    Args:
        model: the network.
        requests: who asks.
        catalogue: items and queries.
        pairs: ``request_N`` and ``item_N``.
        position_N: place each item was shown at, 0 unknown; None: each as the first of a list.
    """
    model.eval()
    device = catalogue.item_VD.device
    request_N, item_N = (torch.from_numpy(side).to(device) for side in pairs)
    place_N: Tensor | None = None if position_N is None else torch.from_numpy(position_N).to(device)
    request_RD = model.request_vectors(requests, catalogue)
    logits = model.judge(request_RD, requests, catalogue, (request_N, item_N), place_N)
    return PairLogits(
        logits.click_N.cpu().numpy(),
        logits.convert_N.cpu().numpy(),
        requests.surface_R[request_N].cpu().numpy(),
    )


@torch.no_grad()
def examination(
    heads: ClickConvertHeads, surface_N: NDArray[np.int64], position_N: NDArray[np.int64]
) -> NDArray[np.float32]:
    """``[N]`` what the place shown at adds to a click's logit, over the first place."""
    device = heads.position.weight.device
    surface, place = (torch.from_numpy(side).to(device) for side in (surface_N, position_N))
    added: NDArray[np.float32] = (
        (heads.examined(surface, place) - heads.examined(surface, None)).cpu().numpy()
    )
    return added


def pair_probabilities(
    model: ShelfModel,
    requests: Requests,
    catalogue: Catalogue,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    position_N: NDArray[np.int64] | None,
) -> PairProbabilities:
    """Probabilities of pairs without calibration: what training looks at; else as `pair_logits`."""
    found = pair_logits(model, requests, catalogue, pairs, position_N)
    return PairProbabilities(
        *(torch.from_numpy(side).sigmoid().numpy() for side in (found.click_N, found.convert_N))
    )
