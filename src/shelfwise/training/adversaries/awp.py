"""Adversarial weight perturbation: what is learned should hold for weights nearby as well.

Wu et al., 2020, arXiv:2004.05884: each matrix W is moved by ``radius * |W| * g / |g|``, the loss is
worked out there, and W put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from shelfwise.models.places import Nudges
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.options import Awp


@dataclass(frozen=True, slots=True)
class WeightPerturbation:
    """Learns a batch with the weights as they are and with weights that suit it less."""

    options: Awp

    def learn(self, attempt: Attempt) -> None:
        """As `Adversary`."""
        loss = attempt.loss(Nudges())
        if not loss.requires_grad:
            return
        learning = list(attempt.learning)
        # Of this batch alone: `grad` may hold those of other batches of the step.
        found = attempt.gradients(loss, learning)
        _add(learning, found, 1 - self.options.weight)
        with _moved(learning, found, self.options.radius):
            moved = attempt.loss(Nudges())
            attempt.add_gradient(self.options.weight * moved)


def _add(
    learning: Sequence[torch.nn.Parameter], found: Sequence[Tensor | None], weight: float
) -> None:
    for parameter, gradient in zip(learning, found, strict=True):
        if gradient is None or weight == 0:
            continue
        grown = weight * gradient
        parameter.grad = grown if parameter.grad is None else parameter.grad + grown


@contextmanager
def _moved(
    learning: Sequence[torch.nn.Parameter], found: Sequence[Tensor | None], radius: float
) -> Iterator[None]:
    """Within it, matrices are moved; after it every bit is as before."""
    kept: list[tuple[torch.nn.Parameter, Tensor]] = []
    try:
        with torch.no_grad():
            for parameter, gradient in zip(learning, found, strict=True):
                if gradient is None or parameter.dim() < 2:
                    continue
                length = gradient.norm()
                if length == 0:
                    continue
                kept.append((parameter, parameter.detach().clone()))
                parameter.add_(gradient, alpha=float(radius * parameter.norm() / length))
        torch.clear_autocast_cache()  # else half-precision copies of the weights as they were stay
        yield
    finally:
        with torch.no_grad():
            for parameter, before in kept:
                parameter.copy_(before)
        torch.clear_autocast_cache()
