"""Softmax cross-entropy over the whole catalogue, for requests with one or more positives.

Shape suffixes in this file: R = requests; V = items of the catalogue; D = width of a vector;
M = positive (request, item) pairs; X = masked ones, or others that are asked about; C = requests of
a chunk.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from shelfwise.losses.generalised_cross_entropy import generalised_cross_entropy
from shelfwise.losses.precision import at_least_float32


class Positives(NamedTuple):
    """Items to be ranked first; a request may have several, or none."""

    request_M: Tensor  # int, row of the request
    item_M: Tensor  # int, row of the item
    weight_M: Tensor | None = None  # 0 or more; 1 where left out
    # Share of the wanted probability that lies on all items alike (label smoothing, Szegedy et al.,
    # 2016, arXiv:1512.00567): an answer that was not logged is not wholly wrong.
    smoothing: float = 0.0
    doubt: float = 0.0  # as for `generalised_cross_entropy`


class Masked(NamedTuple):
    """Pairs that are neither positive nor negative, such as items already bought."""

    request_X: Tensor  # int
    item_X: Tensor  # int


# Prior of an item that was not there: no probability is left to it, and yet, unlike with -inf, a
# request that could choose nothing else has a gradient.
ABSENT = -1e4


def catalogue_softmax_loss(
    request_RD: Tensor,
    item_VD: Tensor,
    positives: Positives,
    *,
    masked: Masked | None = None,
    prior_RV: Tensor | None = None,
    chunk_size: int = 1024,
) -> Tensor:
    """Make each positive item likelier than the rest of the catalogue.

    The weighted mean over positives (r, v) of
    ``-log(exp(r.v + a_rv) / sum_u exp(r.u + a_ru))``, u over all items that are not masked, a
    what is added to a pair. Other positives of the request stay in the sum, so that m
    positives share the probability and the best possible loss is log m. A pair that is both
    positive and masked is positive. With smoothing e, r.v + a_rv in the numerator is that of the
    positive times 1 - e plus the mean over all items of the sum times e.
    With doubt each positive's loss is put through `generalised_cross_entropy`.

    Args:
        request_RD: ``[R, D]`` taken as they are: unit vectors times an inverse temperature give
            a scaled cosine.
        item_VD: ``[V, D]``.
        positives: Pairs in any order. Without any, the loss is 0.
        masked: Pairs left out of the sum.
        prior_RV: ``[R, V]`` logits on top of the dot products.
        chunk_size: Requests whose ``chunk_size x V`` logits are in memory at a time. Where
            there is more than one chunk, the backward pass computes the logits again
            instead of keeping them.

    Returns:
        Scalar.
    """
    if chunk_size < 1:
        raise ValueError(f"catalogue_softmax_loss needs a chunk_size of at least 1: {chunk_size}")
    positives = _by_request(positives)
    masked = Masked(*_no_pairs(item_VD)) if masked is None else _sorted_mask(masked)
    weight_M = positives.weight_M
    assert weight_M is not None

    starts = torch.arange(0, len(request_RD) + chunk_size, chunk_size, device=request_RD.device)
    positive_edges = torch.searchsorted(positives.request_M, starts).tolist()
    masked_edges = torch.searchsorted(masked.request_X, starts).tolist()
    total = at_least_float32(request_RD.new_zeros(()))
    for chunk, start in enumerate(range(0, len(request_RD), chunk_size)):
        mine = slice(positive_edges[chunk], positive_edges[chunk + 1])
        gone = slice(masked_edges[chunk], masked_edges[chunk + 1])
        if mine.start == mine.stop:
            continue
        here = slice(start, start + chunk_size)
        arguments = (
            request_RD[here],
            item_VD,
            positives._replace(
                request_M=positives.request_M[mine] - start,
                item_M=positives.item_M[mine],
                weight_M=weight_M[mine],
            ),
            Masked(masked.request_X[gone] - start, masked.item_X[gone]),
            None if prior_RV is None else prior_RV[here],
        )
        if len(request_RD) <= chunk_size:
            total = total + _sum_of_losses(*arguments)
        else:
            total = total + checkpoint(
                _sum_of_losses, *arguments, use_reentrant=False, preserve_rng_state=False
            )
    weight = weight_M.to(total.dtype).sum()
    return total / weight.clamp_min(torch.finfo(total.dtype).tiny)


@torch.no_grad()
def catalogue_softmax_gradient(
    logit_RV: Tensor, positives: Positives, at: tuple[Tensor, Tensor]
) -> Tensor:
    """Gradient of `catalogue_softmax_loss` with respect to logits at some places.

    Where little of what a logit is made of learns, it says all that a backward pass through the
    whole table would: chance less answer, by weight.

    Args:
        logit_RV: ``[R, V]`` logits; `ABSENT` or less where an item was not there.
        positives: as for the loss.
        at: ``request_X`` and ``item_X``, no pair twice, in order of requests, then items.

    Returns:
        ``[X]``.
    """
    logit_RV = at_least_float32(logit_RV)
    items, (request_X, item_X) = logit_RV.shape[1], at
    right = _by_request(positives)
    assert right.weight_M is not None
    weight_M = right.weight_M.to(logit_RV.dtype)
    log_sum_R = logit_RV.logsumexp(dim=1)
    heard_M = weight_M * _heard(logit_RV, log_sum_R, right)
    weight_R = logit_RV.new_zeros(len(logit_RV)).index_add(0, right.request_M, heard_M)
    chance_X = (logit_RV[at] - log_sum_R[request_X]).exp()
    if positives.smoothing:
        present_RV = logit_RV > ABSENT / 2
        even_X = positives.smoothing / present_RV.sum(dim=1).clamp_min(1)[request_X]
        chance_X = chance_X - even_X * present_RV[at]
    found_X = weight_R[request_X] * chance_X
    key_X, key_M = request_X * items + item_X, right.request_M * items + right.item_M
    place_M = torch.searchsorted(key_X, key_M).clamp(max=max(len(key_X) - 1, 0))
    is_at_M = torch.zeros_like(key_M, dtype=torch.bool)
    if len(key_X):
        is_at_M = key_X[place_M] == key_M
    answer_M = (1 - positives.smoothing) * heard_M
    found_X = found_X.index_add(0, place_M[is_at_M], -answer_M[is_at_M])
    return found_X / weight_M.sum().clamp_min(torch.finfo(found_X.dtype).tiny)


def _heard(logit_RV: Tensor, log_sum_R: Tensor, right: Positives) -> Tensor:
    """``[M]`` share of each positive's gradient that doubt leaves: ``exp(-doubt * loss)``."""
    if not right.doubt:
        return logit_RV.new_ones(len(right.request_M))
    return (right.doubt * (_wanted(logit_RV, right) - log_sum_R[right.request_M])).exp()


def _wanted(logit_RV: Tensor, right: Positives) -> Tensor:
    """``[M]`` logit of each positive, smoothed."""
    wanted_M = logit_RV[right.request_M, right.item_M]
    if not right.smoothing:
        return wanted_M
    even_M = _mean_of_present(logit_RV)[right.request_M]
    return torch.lerp(wanted_M, even_M, right.smoothing)


def _sum_of_losses(
    request_CD: Tensor,
    item_VD: Tensor,
    positives: Positives,
    masked: Masked,
    prior_CV: Tensor | None,
) -> Tensor:
    logit_CV = at_least_float32(request_CD @ item_VD.T)
    if prior_CV is not None:
        logit_CV = logit_CV + prior_CV
    if len(masked.request_X):
        gone_CV = torch.zeros_like(logit_CV, dtype=torch.bool)
        gone_CV[masked.request_X, masked.item_X] = True
        gone_CV[positives.request_M, positives.item_M] = False
        logit_CV = logit_CV.masked_fill(gone_CV, float("-inf"))
    log_sum_M = logit_CV.logsumexp(dim=1)[positives.request_M]
    loss_M = generalised_cross_entropy(log_sum_M - _wanted(logit_CV, positives), positives.doubt)
    assert positives.weight_M is not None
    return (positives.weight_M.to(loss_M.dtype) * loss_M).sum()


def _mean_of_present(logit_CV: Tensor) -> Tensor:
    present_CV = logit_CV > ABSENT / 2
    total_C = logit_CV.masked_fill(~present_CV, 0).sum(dim=1)
    return total_C / present_CV.sum(dim=1).clamp_min(1)


def _by_request(positives: Positives) -> Positives:
    request_M, order_M = positives.request_M.long().sort()
    weight_M = positives.weight_M
    if weight_M is None:
        weight_M = torch.ones(len(request_M), device=request_M.device)
    item_M = positives.item_M.long()[order_M]
    return positives._replace(request_M=request_M, item_M=item_M, weight_M=weight_M[order_M])


def _sorted_mask(masked: Masked) -> Masked:
    request_X, order_X = masked.request_X.long().sort()
    return Masked(request_X, masked.item_X.long()[order_X])


def _no_pairs(like: Tensor) -> tuple[Tensor, Tensor]:
    none = torch.empty(0, dtype=torch.int64, device=like.device)
    return none, none
