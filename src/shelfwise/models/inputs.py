"""Arrays of requests made into tensors, the same way in training, evaluation and serving.

Shape suffixes in this file: R = requests, L = events of a history, P = events of a longer past, Q =
queries met.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.models.requests import MetItems, Requests


class MetArrays(Protocol):
    """Items met over a longer past; -1 stands for none."""

    @property
    def item_RP(self) -> NDArray[np.int32]: ...  # noqa: N802  # shape suffix

    @property
    def kind_RP(self) -> NDArray[np.uint8]: ...  # noqa: N802  # shape suffix

    @property
    def age_RP(self) -> NDArray[np.float32]: ...  # noqa: N802  # shape suffix


class HistoryArrays(Protocol):
    """The last events before each request, newest last, padded on the left; -1 stands for none."""

    @property
    def item_RL(self) -> NDArray[np.int32]: ...  # noqa: N802  # shape suffix

    @property
    def query_RL(self) -> NDArray[np.int32]: ...  # noqa: N802  # shape suffix

    @property
    def kind_RL(self) -> NDArray[np.uint8]: ...  # noqa: N802  # shape suffix

    @property
    def age_RL(self) -> NDArray[np.float32]: ...  # noqa: N802  # shape suffix

    @property
    def valid_RL(self) -> NDArray[np.bool_]: ...  # noqa: N802  # shape suffix

    @property
    def met(self) -> MetArrays | None: ...


class Asked(NamedTuple):
    """A batch's requests, with queries renumbered to those of the batch."""

    requests: Requests
    query_texts: Tensor  # [Q] numbers of the queries met, sorted


def as_requests(
    history: HistoryArrays,
    query_R: NDArray[np.int64],
    surface_R: NDArray[np.int64],
    device: torch.device,
    moment_R: NDArray[np.int64] | None = None,
    fold_R: NDArray[np.int64] | None = None,
) -> Asked:
    """Arrays of a batch as tensors; of all the shop's queries only those met are kept.

    ``moment_R`` left out: every request falls in the catalogue's first moment. ``fold_R`` left out:
    nobody's own behaviour is left out of the tables of neighbours.
    """
    # A behaviour that has an item is told by it; its query, if any, is not looked at.
    told_RL = np.where(history.item_RL >= 0, -1, history.query_RL)
    met = np.unique(np.concatenate([query_R, told_RL.ravel()]))
    met = met[met >= 0].astype(np.int64)

    def renumber(number: NDArray[np.integer]) -> Tensor:
        place = np.searchsorted(met, number)
        return torch.from_numpy(np.where(number >= 0, place, -1)).to(device)

    requests = Requests(
        item_RL=torch.from_numpy(history.item_RL.astype(np.int64)).to(device),
        met=_met(history, device),
        query_RL=renumber(told_RL),
        kind_RL=torch.from_numpy(history.kind_RL.astype(np.int64)).to(device),
        age_RL=torch.from_numpy(history.age_RL).to(device),
        valid_RL=torch.from_numpy(history.valid_RL).to(device),
        query_R=renumber(query_R),
        surface_R=torch.from_numpy(surface_R).to(device),
        moment_R=torch.from_numpy(_or_zeros(moment_R, query_R)).to(device),
        fold_R=torch.from_numpy(_or_zeros(fold_R, query_R)).to(device),
    )
    return Asked(requests, torch.from_numpy(met).to(device))


def _or_zeros(number_R: NDArray[np.int64] | None, like_R: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.zeros(len(like_R), np.int64) if number_R is None else number_R


def _met(history: HistoryArrays, device: torch.device) -> MetItems:
    """What was met; where the longer past says nothing, all of it is in the history."""
    if history.met is None:
        told = (history.item_RL, history.kind_RL, history.age_RL)
    else:
        told = (history.met.item_RP, history.met.kind_RP, history.met.age_RP)
    item_RP, kind_RP, age_RP = told
    return MetItems(
        torch.from_numpy(item_RP.astype(np.int64)).to(device),
        torch.from_numpy(kind_RP.astype(np.int64)).to(device),
        torch.from_numpy(age_RP).to(device),
    )
