"""The adversary that options ask for, and the steps that it takes part in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shelfwise.training.adversaries.attempt import Adversary, Attempt
from shelfwise.training.adversaries.awp import WeightPerturbation
from shelfwise.training.adversaries.fgm import FastGradient
from shelfwise.training.adversaries.free_lb import FreeLargeBatch
from shelfwise.training.adversaries.options import (
    AdversaryOptions,
    Awp,
    Fgm,
    FreeLb,
    NoAdversary,
    Pgd,
    RDrop,
)
from shelfwise.training.adversaries.pgd import ProjectedGradient
from shelfwise.training.adversaries.r_drop import TwoDropouts


@dataclass(frozen=True, slots=True)
class Opponent:
    """An adversary with its times."""

    adversary: Adversary | None = None
    begins: int = 1  # first step that it takes part in
    share: float = 1.0  # of the steps from then on

    @classmethod
    def of(cls, options: AdversaryOptions, steps_per_epoch: int) -> Opponent:
        """As `options` has it."""
        if isinstance(options, NoAdversary):
            return cls()
        begins = 1 + math.floor(options.after_epochs * steps_per_epoch)
        return cls(adversary_of(options), begins, options.steps_share)

    def learn(self, step: int, attempt: Attempt) -> None:
        """Add a batch's gradient, with or without the adversary; ``step`` counts from 1."""
        if self.adversary is None or not self.takes_part(step):
            attempt.add_gradient(attempt.loss_of(0))
        else:
            self.adversary.learn(attempt)

    def takes_part(self, step: int) -> bool:
        """Whether it does in this step: the share's whole number grows by one."""
        turn = step - self.begins
        return turn >= 0 and math.floor((turn + 1) * self.share) > math.floor(turn * self.share)


def adversary_of(
    options: Fgm | Pgd | FreeLb | Awp | RDrop,
) -> Adversary:
    """The one that ``options`` describes."""
    match options:
        case Fgm():
            return FastGradient(options)
        case Pgd():
            return ProjectedGradient(options)
        case FreeLb():
            return FreeLargeBatch(options)
        case Awp():
            return WeightPerturbation(options)
        case RDrop():
            return TwoDropouts(options)
