"""Generalised binary cross-entropy over drawn items (Petrov and Macdonald, 2023, arXiv:2308.07192).

Shape suffixes in this file: M = right answers, each of one request; S = items drawn.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.sampled_softmax import DrawnItems, RightAnswers, is_the_answer
from shelfwise.losses.weighted_mean import weighted_mean


def generalised_bce_loss(
    right: RightAnswers, drawn: DrawnItems, *, share_drawn: float, calibration: float
) -> Tensor:
    """Tell right from drawn items, without the overconfidence that few drawn ones bring.

    Of a right answer with logit s and n drawn items: ``-(b log p(s) + sum log(1 - p(s_j))) /
    (n + 1)``, p the sigmoid. With b = 1 (``calibration`` 0) it is the plain cross-entropy, which
    believes the catalogue to be as small as the draw; with b the share drawn (``calibration`` 1)
    p is the probability of the interaction; between them ``b = 1 - calibration (1 - share)``.
    Items are to be drawn evenly; those with a logit of -inf, and the answer itself, do not count.

    Args:
        right: what is to stand first.
        drawn: what it is held against; how likely each was to be drawn is not looked at.
        share_drawn: drawn items as a share of the catalogue, in (0, 1].
        calibration: the paper's t, from 0 to 1.

    Returns:
        Scalar; 0 without right answers.
    """
    power = 1 - calibration * (1 - share_drawn)
    right_M = -power * F.logsigmoid(at_least_float32(right.logit_M))
    logit_MS = at_least_float32(drawn.logit_RS)[right.request_M]
    counts_MS = ~is_the_answer(right, drawn) & torch.isfinite(logit_MS)
    # Before the logarithm: the gradient of what does not count would be nan, not 0.
    wrong_MS = F.softplus(logit_MS.masked_fill(~counts_MS, 0)) * counts_MS
    return weighted_mean((right_M + wrong_MS.sum(1)) / (counts_MS.sum(1) + 1), right.weight_M)
