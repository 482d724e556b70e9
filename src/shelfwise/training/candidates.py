"""Which items a step's matches are held against: the whole catalogue, or a draw of it.

Shape suffixes in this file: V = items, C = candidates, S = items drawn, R = requests, K = moments,
D = width, G = figures of a trend, P = events of a longer past.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.models.catalogue import Catalogue
from shelfwise.models.requests import Requests
from shelfwise.training.match_options import (
    GeneralisedBce,
    MatchLossOptions,
    SampledSoftmax,
    Softmax,
)
from shelfwise.training.network import Network


class Draw(NamedTuple):
    """Candidates that are held against every right answer; the others are right answers alone."""

    place_S: Tensor  # among the candidates
    log_expected_S: Tensor  # log of how often such a draw holds the item on average


class Candidates(NamedTuple):
    """Items of the catalogue that take part, in rising order; numbers then are places in it."""

    item_C: NDArray[np.int64]
    draw: Draw | None  # None: everything is held against every answer

    def places(self, item: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of items, all of which take part, as places."""
        return np.searchsorted(self.item_C, item)

    def taking_part(self, logit_RV: Tensor) -> Tensor:
        """``[R, C]`` columns of the items that take part."""
        if self.draw is None:
            return logit_RV
        return logit_RV[:, torch.from_numpy(self.item_C).to(logit_RV.device)]

    def narrowed(self, known: tuple[Requests, Catalogue]) -> tuple[Requests, Catalogue]:
        """What is asked and of what catalogue, told by places: as if there were no other items."""
        if self.draw is None:
            return known
        requests, catalogue = known
        item_C = torch.from_numpy(self.item_C).to(catalogue.target_VD.device)
        place_RP = torch.searchsorted(item_C, requests.met.item_RP.clamp(min=0))
        found_RP = item_C[place_RP.clamp(max=len(item_C) - 1)] == requests.met.item_RP
        met = requests.met._replace(item_RP=torch.where(found_RP, place_RP, -1))
        return requests._replace(met=met), catalogue._replace(
            target_VD=catalogue.target_VD[item_C],
            item_bias_V=catalogue.item_bias_V[item_C],
            group_VC=catalogue.group_VC[item_C],
            trend_KVG=catalogue.trend_KVG[:, item_C],
        )


def candidates_of(
    network: Network,
    right_M: NDArray[np.int64],
    options: MatchLossOptions,
    rng: np.random.Generator,
) -> Candidates:
    """What a step's right answers, ``right_M``, are held against."""
    match options:
        case Softmax():
            return Candidates(np.arange(network.items), None)
        case SampledSoftmax(negatives=size, by_popularity=share):
            return _drawn(network, right_M, _chances(network, share), size, rng)
        case GeneralisedBce(negatives=size):
            return _drawn(network, right_M, _chances(network, 0.0), size, rng)


def _chances(network: Network, by_popularity: float) -> NDArray[np.float64]:
    """``[V]`` chance of each item to be drawn next; items not met in training have none."""
    even_V = network.warm_V.cpu().numpy().astype(np.float64)
    even_V /= max(1.0, even_V.sum())
    step = network.trend.step_of(np.array([network.frozen_at]))[0]
    taken_V = network.trend.taken_TV[step] * (even_V > 0)
    if not by_popularity or not taken_V.any():
        return even_V
    chance_V: NDArray[np.float64] = (
        1 - by_popularity
    ) * even_V + by_popularity * taken_V / taken_V.sum()
    return chance_V


def _drawn(
    network: Network,
    right_M: NDArray[np.int64],
    chance_V: NDArray[np.float64],
    size: int,
    rng: np.random.Generator,
) -> Candidates:
    below_V = chance_V.cumsum()
    item_S = np.searchsorted(below_V, rng.random(size) * below_V[-1], side="right")
    item_C = np.unique(np.concatenate([right_M, item_S]))
    log_expected_S = np.log(size * chance_V[item_S]).astype(np.float32)
    place_S = torch.from_numpy(np.searchsorted(item_C, item_S))
    device = network.bank.device
    draw = Draw(place_S.to(device), torch.from_numpy(log_expected_S).to(device))
    return Candidates(item_C, draw)
