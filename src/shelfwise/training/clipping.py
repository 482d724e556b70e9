"""Gradients that are too long are shortened, others are left alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def clip_gradient(learning: Sequence[torch.nn.Parameter], longest: float) -> Tensor:
    """Bring the gradient of all parameters together down to ``longest``; its length before.

    As `torch.nn.utils.clip_grad_norm_`, which multiplies every gradient by 1 where nothing is too
    long: with a vocabulary's embeddings that is a fiftieth of a step.
    """
    gradients = [p.grad for p in learning if p.grad is not None]
    length = torch.nn.utils.get_total_norm(gradients)
    if length > longest:
        torch.nn.utils.clip_grads_with_norm_(learning, longest, length)
    return length
