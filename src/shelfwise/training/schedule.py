"""How the learning rate moves."""

from __future__ import annotations

import math

import torch


def rate_share(step: int, total: int, warmup_share: float) -> float:
    """Share of the peak rate: a straight climb, then half a cosine down to a hundredth."""
    warmup = max(1, int(total * warmup_share))
    if step <= warmup:
        return step / warmup
    done = (step - warmup) / max(1, total - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1)))


def set_rates(optimizer: torch.optim.Optimizer, peaks: list[float], share: float) -> None:
    """Put every parameter group at its share of its own peak."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * share
