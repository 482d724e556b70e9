"""Symmetric contrastive loss of query-item pairs (InfoNCE; van den Oord et al., 2018,
arXiv:1807.03748; both directions as in Radford et al., 2021, arXiv:2103.00020).

Shape suffixes in this file: B = pairs in the batch; D = width of a vector; M = further items.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.weighted_mean import weighted_mean


class FurtherItems(NamedTuple):
    """Items that are nobody's answer in the batch, and the queries each of them is wrong for."""

    item_MD: Tensor
    wrong_BM: Tensor  # bool


def contrastive_loss(
    query_BD: Tensor,
    item_BD: Tensor,
    *,
    same_BB: Tensor | None = None,
    weight_B: Tensor | None = None,
    scale: float | Tensor = 20.0,
    further: FurtherItems | None = None,
) -> Tensor:
    """Let each query find its own item among those of the batch, and each item its query.

    With logits ``s * q.v``, the mean of the cross-entropy of every row (items compete for a
    query) and of every column (queries compete for an item); the own pair is the target.

    Args:
        query_BD: ``[B, D]`` taken as they are; scale them to length 1 for a cosine.
        item_BD: ``[B, D]`` row b belongs to query b.
        same_BB: ``[B, B]`` bool, from ``same_pairs``: where row and column share a query or
            an item, the column is no negative of the row. The diagonal is never left out.
        weight_B: ``[B]`` 0 or more.
        scale: Inverse temperature s; a scalar tensor can be learned.
        further: Negatives from outside of the batch, such as hard ones; they take part in rows
            only, as no column is theirs.

    Returns:
        Scalar; log B for vectors that tell nothing.
    """
    logit_BB = at_least_float32(scale * (query_BD @ item_BD.T))
    own_B = torch.arange(len(logit_BB), device=logit_BB.device)
    if same_BB is not None:
        not_negative_BB = same_BB.clone().fill_diagonal_(False)
        logit_BB = logit_BB.masked_fill(not_negative_BB, float("-inf"))
    answer_logits = logit_BB
    if further is not None:
        logit_BM = at_least_float32(scale * (query_BD @ further.item_MD.T))
        logit_BM = logit_BM.masked_fill(~further.wrong_BM, float("-inf"))
        answer_logits = torch.cat([logit_BB, logit_BM], dim=1)
    query_loss_B = F.cross_entropy(answer_logits, own_B, reduction="none")
    item_loss_B = F.cross_entropy(logit_BB.T, own_B, reduction="none")
    return weighted_mean((query_loss_B + item_loss_B) / 2, weight_B)


def same_pairs(query_id_B: Tensor, item_id_B: Tensor) -> Tensor:
    """``[B, B]`` where two pairs share the query or the item, and so are no negatives.

    Another pair's item may well answer the same query, and another pair's query may well be
    answered by the same item: calling either wrong would teach against the log.
    """
    same_query_BB = query_id_B[:, None] == query_id_B[None, :]
    same_item_BB = item_id_B[:, None] == item_id_B[None, :]
    return same_query_BB | same_item_BB
