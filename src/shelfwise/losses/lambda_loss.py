"""The pairwise loss that bounds NDCG (LambdaLoss; Wang et al., 2018, "The LambdaLoss Framework for
Ranking Metric Optimization", NDCG-Loss2++).

Shape suffixes in this file: Q = queries, P = places of the longest list.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.weighted_mean import weighted_mean

_MU = 10.0  # the paper's weight of NDCG-Loss2 beside LambdaRank


def lambda_loss(
    score_QP: Tensor, grade_QP: Tensor, known_QP: Tensor, *, weight_Q: Tensor | None = None
) -> Tensor:
    """Let the better product of each pair score higher, as far as the list's NDCG depends on it.

    The mean over lists of ``sum w_ij log(1 + exp(s_j - s_i))`` over pairs with grade_i > grade_j.
    With gains ``G = (2^grade - 1) / best DCG``, discounts ``D(r) = log2(1 + r)`` and the ranks r
    that the scores give now,

        w_ij = |G_i - G_j| (|1 / D(r_i) - 1 / D(r_j)| + mu |1 / D(d) - 1 / D(d + 1)|)

    with ``d = |r_i - r_j|``: what a swap would change (LambdaRank), and mu times the bound of
    NDCG-Loss2. The weights carry no gradient; equal scores take ranks in the order given.

    Args:
        score_QP: ``[Q, P]`` one list a row.
        grade_QP: ``[Q, P]`` 0 or more; 0 is "irrelevant".
        known_QP: ``[Q, P]`` bool; False fills a shorter list up.
        weight_Q: ``[Q]`` 0 or more; lists count the same where it is left out.

    Returns:
        Scalar; 0 where no list has two grades: such lists are left out of the mean.
    """
    score_QP = at_least_float32(score_QP)
    gain_QP = (torch.exp2(grade_QP.to(score_QP.dtype)) - 1).masked_fill(~known_QP, 0)
    both_QPP = known_QP[:, :, None] & known_QP[:, None, :]
    better_QPP = both_QPP & (grade_QP[:, :, None] > grade_QP[:, None, :])
    weight_QPP = _weights(score_QP.detach().masked_fill(~known_QP, float("-inf")), gain_QP)
    gap_QPP = score_QP[:, :, None] - score_QP[:, None, :]
    loss_Q = (weight_QPP * F.softplus(-gap_QPP)).masked_fill(~better_QPP, 0).sum((1, 2))
    told_Q = better_QPP.any(-1).any(-1).to(loss_Q.dtype)
    return weighted_mean(loss_Q, told_Q if weight_Q is None else told_Q * weight_Q)


def _weights(score_QP: Tensor, gain_QP: Tensor) -> Tensor:
    """``[Q, P, P]`` how much the NDCG of a list depends on each pair."""
    places = score_QP.shape[1]
    rank_P = torch.arange(1, places + 1, device=score_QP.device)
    discount_P = 1 / torch.log2(1 + rank_P.to(gain_QP.dtype))
    order_QP = torch.argsort(score_QP, dim=-1, descending=True, stable=True)
    rank_QP = torch.empty_like(order_QP).scatter_(1, order_QP, rank_P.expand_as(order_QP))
    best_Q = (gain_QP.sort(dim=-1, descending=True).values * discount_P).sum(-1)
    shared_QP = gain_QP / best_Q.clamp_min(torch.finfo(gain_QP.dtype).tiny)[:, None]
    discount_QP = discount_P[rank_QP - 1]
    swap_QPP = (discount_QP[:, :, None] - discount_QP[:, None, :]).abs()
    apart_QPP = (rank_QP[:, :, None] - rank_QP[:, None, :]).abs().clamp_min(1)
    step_QPP = 1 / torch.log2(1 + apart_QPP) - 1 / torch.log2(2 + apart_QPP)
    gained_QPP = (shared_QP[:, :, None] - shared_QP[:, None, :]).abs()
    return gained_QPP * (swap_QPP + _MU * step_QPP)
