"""A batch that an adversary may ask about as often as it likes: the same draws each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from shelfwise.models.places import Ball, Nudges, along, laid, reachable
from shelfwise.training.phases import Phases, Untimed


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an adversary is handed.

    ``loss_of`` works a batch's loss out with the same random draws each time, those of dropout
    among them unless it is told another number than 0.
    """

    loss_of: Callable[[int], Tensor]
    networks: Sequence[torch.nn.Module]  # whose places can be reached
    learning: Sequence[torch.nn.Parameter]
    seed: int  # of what the adversary draws itself
    share: float = 1.0  # of the step's loss that is this batch's, as `loss_of` has it already
    phases: Phases = field(default_factory=Untimed)

    def loss(self, nudges: Nudges, dropout: int = 0) -> Tensor:
        """The batch's loss with ``nudges`` laid at all places."""
        with laid(reachable(*self.networks), nudges):
            return self.loss_of(dropout)

    def add_gradient(self, loss: Tensor) -> None:
        """Add the gradient of ``loss`` to every parameter it was worked out from."""
        if loss.requires_grad:
            with self.phases("backward"):
                loss.backward()  # type: ignore[no-untyped-call]  # torch

    def gradients(self, loss: Tensor, of: Sequence[Tensor]) -> list[Tensor | None]:
        """Of ``loss`` by some tensors alone; None where it does not depend on one."""
        if not loss.requires_grad or not of:
            return [None] * len(of)
        with self.phases("backward"):
            return list(torch.autograd.grad(loss, list(of), allow_unused=True))

    def evenly(self, radius: float) -> EvenDraw:
        """Draws starts that fill ``radius``; the same for the same batch."""
        return EvenDraw(radius, torch.Generator().manual_seed(self.seed))


class Adversary(Protocol):
    """Learns a batch in its own way."""

    def learn(self, attempt: Attempt) -> None:
        """Add to the gradient of every learning parameter. Weights are left as they were."""


@dataclass(frozen=True, slots=True)
class EvenDraw:
    """Numbers drawn evenly from -1 to 1, times the radius and the root mean square of a row.

    Of a row's length such a start is about ``radius / sqrt(3)`` (Zhu et al., 2020, section 3).
    """

    radius: float
    generator: torch.Generator

    def __call__(self, ball: Ball) -> Tensor:
        # Drawn on the CPU: the same numbers on every device.
        even = torch.rand(ball.there.shape, generator=self.generator) * 2 - 1
        return even.to(ball.there.device) * along(self.radius * ball.root, even)
