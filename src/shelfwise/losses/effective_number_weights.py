"""Class weights by the effective number of samples (Cui et al., 2019, arXiv:1901.05555).

Shape suffixes in this file: C = classes.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor


def effective_number_weights(count_C: Tensor, beta: float = 0.999) -> Tensor:
    """Give rare classes more weight, but not as much as one over their frequency.

    The n-th sample of a class adds ``beta ** (n-1)`` new samples' worth, so n of them are
    worth ``E(n) = (1 - beta**n) / (1 - beta)``, and the weight of a class is ``1 / E(n)``,
    scaled so that its mean over the counted rows is 1. beta = 0 weighs all classes alike,
    beta towards 1 by inverse frequency. A class without rows is weighted like one with a
    single row, so that such a row, should it come, counts.

    Args:
        count_C: ``[C]`` rows of each class in the training period.
        beta: In [0, 1).

    Returns:
        ``[C]`` float32 with ``sum(count * weight) == sum(count)``; ones without any row.
    """
    if not 0 <= beta < 1:
        raise ValueError(f"effective_number_weights needs beta in [0, 1), got {beta}")
    if bool((count_C < 0).any()):
        raise ValueError(f"effective_number_weights needs counts of 0 or more, got {count_C.min()}")
    rows_C = count_C.to(torch.float64)
    if beta == 0 or bool((rows_C == 0).all()):
        return torch.ones(len(count_C), dtype=torch.float32, device=count_C.device)
    # 1 - beta**n by expm1: the plain form loses all digits for beta near 1.
    raw_C = 1 / -torch.expm1(rows_C.clamp_min(1) * log(beta))
    return (raw_C * rows_C.sum() / (rows_C * raw_C).sum()).float()
