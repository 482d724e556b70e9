"""FreeLB: the gradients met on the way up all teach the weights.

Zhu et al., 2020, arXiv:1909.11764: K passes, each with a K-th of the loss.
"""

from __future__ import annotations

from dataclasses import dataclass

from shelfwise.models.places import Nudges
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.moves import climb, learn_as_it_is
from shelfwise.training.adversaries.options import FreeLb


@dataclass(frozen=True, slots=True)
class FreeLargeBatch:
    """Learns a batch from a random start and from each step after it."""

    options: FreeLb

    def learn(self, attempt: Attempt) -> None:
        """As `Adversary`."""
        options = self.options
        step = options.each_step
        nudges = Nudges(frozenset(options.places), draw=attempt.evenly(options.radius))
        for turn in range(options.steps):
            found = learn_as_it_is(attempt, nudges, 1 / options.steps)
            if turn < options.steps - 1:
                climb(nudges, found, step, options.radius, options.norm)
