"""A running mean of the weights: steadier than the weights of any one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of what learns (Polyak and Juditsky, 1992, in its usual form).

    After step n it moves by ``1 - min(decay, (1 + n) / (10 + n))`` towards the weights: the first
    ones, far from any good, are forgotten soon whatever the decay.
    """

    def __init__(self, learning: Sequence[nn.Parameter], decay: float) -> None:
        self.steps = 0
        self.means = [parameter.detach().clone() for parameter in learning]
        self._learning = learning
        self._decay = decay

    @torch.no_grad()
    def follow(self) -> None:
        """Told after each step."""
        self.steps += 1
        kept = min(self._decay, (1 + self.steps) / (10 + self.steps))
        for mean, parameter in zip(self.means, self._learning, strict=True):
            mean.lerp_(parameter, 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block the network answers with its mean weights."""
        own = [parameter.detach().clone() for parameter in self._learning]
        self._put(self.means)
        try:
            yield
        finally:
            self._put(own)

    def settle(self) -> None:
        """The mean weights become the network's own."""
        self._put(self.means)

    @torch.no_grad()
    def _put(self, values: Sequence[Tensor]) -> None:
        for parameter, value in zip(self._learning, values, strict=True):
            parameter.copy_(value)
