"""Projected gradient descent: several steps up the gradient, kept within a ball.

Madry et al., 2018, arXiv:1706.06083; the first step starts from the batch as it is, whose gradient
is there anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

from shelfwise.models.places import Nudges
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.moves import (
    climb,
    further_gradients,
    learn_as_it_is,
    learn_moved,
)
from shelfwise.training.adversaries.options import Pgd


@dataclass(frozen=True, slots=True)
class ProjectedGradient:
    """Learns a batch as it is and as the steps left it."""

    options: Pgd

    def learn(self, attempt: Attempt) -> None:
        """As `Adversary`. Steps between the first and the last ask for no weight's gradient."""
        options = self.options
        step = options.each_step
        nudges = Nudges(frozenset(options.places))
        found = learn_as_it_is(attempt, nudges, 1 - options.weight)
        climb(nudges, found, step, options.radius, options.norm)
        for _ in range(options.steps - 1):
            found = further_gradients(attempt, attempt.loss(nudges), nudges)
            climb(nudges, found, step, options.radius, options.norm)
        learn_moved(attempt, nudges, options.weight)
