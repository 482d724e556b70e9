"""The listwise loss of top-one probabilities (ListNet; Cao et al., 2007, "Learning to Rank: From
Pairwise Approach to Listwise Approach").

Shape suffixes in this file: Q = queries, P = places of the longest list.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.weighted_mean import weighted_mean


def list_net_loss(
    score_QP: Tensor, grade_QP: Tensor, known_QP: Tensor, *, weight_Q: Tensor | None = None
) -> Tensor:
    """Let each list's scores give its products the shares that their grades give them.

    A product's share is its chance of standing first: ``exp(grade) / sum exp(grade)`` as judged,
    the same of scores as predicted. The loss is the divergence of the two,
    ``sum p log(p / q)``: the paper's cross-entropy less what no score can change, so that a
    list told exactly costs 0, and adding a constant to a list's scores changes nothing.

    Args:
        score_QP: ``[Q, P]`` one list a row.
        grade_QP: ``[Q, P]``
        known_QP: ``[Q, P]`` bool; False fills a shorter list up. A list may be empty.
        weight_Q: ``[Q]`` 0 or more; lists count the same where it is left out.

    Returns:
        Scalar; 0 where no list has a product.
    """
    hidden_QP = ~known_QP
    # Large but finite: a list of hidden places alone must not become nan.
    told_QP = F.log_softmax(at_least_float32(score_QP).masked_fill(hidden_QP, -1e9), dim=-1)
    wanted_QP = F.log_softmax(grade_QP.to(told_QP.dtype).masked_fill(hidden_QP, -1e9), dim=-1)
    loss_QP = wanted_QP.exp() * (wanted_QP - told_QP)
    has_Q = known_QP.any(-1).to(loss_QP.dtype)
    return weighted_mean(
        loss_QP.masked_fill(hidden_QP, 0).sum(-1), has_Q if weight_Q is None else has_Q * weight_Q
    )
