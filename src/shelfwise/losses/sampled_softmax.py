"""Softmax over a draw of the catalogue, corrected for how likely each item was to be drawn.

Shape suffixes in this file: R = requests; M = right answers, each of one request; S = items drawn
for all requests together.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from shelfwise.losses.generalised_cross_entropy import generalised_cross_entropy
from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.weighted_mean import weighted_mean


class RightAnswers(NamedTuple):
    """What is to stand first; a request may have several answers, or none."""

    request_M: Tensor  # int, row of the request
    item_M: Tensor  # int, as in the drawn ones
    logit_M: Tensor
    weight_M: Tensor | None = None  # 0 or more; 1 where left out
    doubt: float = 0.0  # as for `generalised_cross_entropy`


class DrawnItems(NamedTuple):
    """What right answers are held against; an item may be drawn more than once."""

    item_S: Tensor  # int
    logit_RS: Tensor  # -inf where the item is neither a right nor a wrong answer
    log_expected_S: Tensor  # log of how often the item is in such a draw on average


def sampled_softmax_loss(right: RightAnswers, drawn: DrawnItems) -> Tensor:
    """Make each right answer likelier than the catalogue, of which only a draw is looked at.

    The weighted mean of ``-log(exp(s) / (exp(s) + sum_j exp(s_j - log E_j)))``, j over the draw
    without the answer itself, E_j how often j is drawn on average. The sum is the catalogue's in
    expectation, whatever the distribution drawn from (Bengio and Senecal, 2008; Yi et al., 2019,
    for retrieval): popular items, drawn often, are not pushed down for it. With every item drawn
    once it is the softmax over the catalogue. Other right answers of a request stay in the sum, as
    they do there. With doubt each answer's loss is put through `generalised_cross_entropy`.

    Returns:
        Scalar; 0 without right answers.
    """
    right_M = at_least_float32(right.logit_M)
    corrected_RS = at_least_float32(drawn.logit_RS) - drawn.log_expected_S
    drawn_MS = corrected_RS[right.request_M].masked_fill(is_the_answer(right, drawn), -torch.inf)
    against_M1 = torch.cat([right_M[:, None], drawn_MS], dim=1)
    loss_M = generalised_cross_entropy(against_M1.logsumexp(dim=1) - right_M, right.doubt)
    return weighted_mean(loss_M, right.weight_M)


def is_the_answer(right: RightAnswers, drawn: DrawnItems) -> Tensor:
    """``[M, S]`` where the draw has hit the right answer itself."""
    return right.item_M[:, None] == drawn.item_S
