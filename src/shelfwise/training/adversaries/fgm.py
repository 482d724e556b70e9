"""The fast gradient method: one step up the gradient of each row.

Miyato et al., 2017, arXiv:1605.07725: ``delta = radius * g / |g|``.
"""

from __future__ import annotations

from dataclasses import dataclass

from shelfwise.models.places import Nudges
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.moves import climb, learn_as_it_is, learn_moved
from shelfwise.training.adversaries.options import Fgm


@dataclass(frozen=True, slots=True)
class FastGradient:
    """Learns a batch as it is and as it is worst to first order."""

    options: Fgm

    def learn(self, attempt: Attempt) -> None:
        """As `Adversary`."""
        options = self.options
        nudges = Nudges(frozenset(options.places))
        found = learn_as_it_is(attempt, nudges, 1 - options.weight)
        climb(nudges, found, options.radius, options.radius, options.norm)
        learn_moved(attempt, nudges, options.weight)
