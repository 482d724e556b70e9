"""The mean that every loss ends in.

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

import torch
from torch import Tensor


def weighted_mean(value_N: Tensor, weight_N: Tensor | None) -> Tensor:
    """``sum(w * l) / sum(w)``: a row of weight 2 counts as that row twice.

    Weights of 0 throughout (a batch in which no label is known) give 0 with a gradient of 0,
    because such a batch has nothing to teach; a metric would say nan.

    Args:
        value_N: ``[N]``.
        weight_N: ``[N]`` 0 or more; every row counts the same where it is left out.
    """
    if weight_N is None:
        weight_N = torch.ones_like(value_N)
    weight_N = weight_N.to(value_N.dtype)
    return (weight_N * value_N).sum() / weight_N.sum().clamp_min(torch.finfo(value_N.dtype).tiny)
