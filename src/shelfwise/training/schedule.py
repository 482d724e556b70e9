"""How the learning rate moves."""

from __future__ import annotations

import math

import torch

_BEHIND = 1.25  # times the plan's time that training must need before the clock counts


def rate_share(step: int, total: int, warmup_share: float) -> float:
    """Share of the peak rate: a straight climb, then half a cosine down to a hundredth."""
    warmup = max(1, int(total * warmup_share))
    if step <= warmup:
        return step / warmup
    done = (step - warmup) / max(1, total - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1)))


def place_in_schedule(step: int, total: int, spent: float, warmup_share: float) -> int:
    """The step whose rate is taken: a later one where the clock will end training first.

    A rate still high at the end leaves the weights where the last few steps threw them. What comes
    to its planned end does not look at the clock, so that it can be repeated.

    Args:
        step: steps taken, this one included.
        total: steps that the schedule is drawn for.
        spent: share of the time allowed that has passed.
        warmup_share: share of the schedule in which the rate climbs, by steps alone.
    """
    by_clock = spent * total
    if step <= max(1, int(total * warmup_share)) or by_clock < _BEHIND * step:
        return step
    return round(by_clock)


def set_rates(optimizer: torch.optim.Optimizer, peaks: list[float], share: float) -> None:
    """Put every parameter group at its share of its own peak."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * share
